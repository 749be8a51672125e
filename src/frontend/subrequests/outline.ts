import type { SourceRange } from '../../dockerfile/instruction.ts';
import type { ConvertedTarget } from '../dockerfile-converter.ts';
import type { FrontendResult } from '../frontend.ts';
import { isStage } from '../stage-loader.ts';
import type { OutlineNeed } from '../stage-outline.ts';
import type { StageState } from '../stage-state.ts';
import type { PlannedStage } from '../stages.ts';
import { locationOf } from './location.ts';
import { answer } from './requests.ts';
import { stageDescription } from './targets.ts';
import { drawTable } from './text-table.ts';

/** `frontend.outline`: what the target can be given: args, secrets, ssh agents. */
export function outlineTarget(target: ConvertedTarget, source: Uint8Array): FrontendResult {
  const states = needed(target);
  const { from } = target.stage.planned.stage;
  const args = byLine(
    firstOfEach(states.flatMap(({ outline }) => outline.used().map((arg) => [arg.key, arg] as const))),
  );
  const secrets = needs(states.flatMap(({ outline }) => [...outline.secrets]));
  const ssh = needs(states.flatMap(({ outline }) => [...outline.ssh]));
  const value = {
    ...(from.stageName === undefined ? {} : { name: from.stageName }),
    ...stageDescription(from),
    ...some(
      'args',
      args.map(([name, { value, description, range }]) => ({
        name,
        ...(description ? { description } : {}),
        ...(value === '' ? {} : { value }),
        location: locationOf(range),
      })),
    ),
    ...some('secrets', secrets),
    ...some('ssh', ssh),
    sources: [Buffer.from(source).toString('base64')],
  };
  const argRows = args.map(([name, { value, description = '' }]) => [name, value, description]);
  const text = [
    headOf(value),
    section(['BUILD ARG', 'VALUE', 'DESCRIPTION'], argRows),
    section(['SECRET', 'REQUIRED'], secrets.map(needRow)),
    section(['SSH', 'REQUIRED'], ssh.map(needRow)),
  ];
  return answer(value, text.join(''));
}

/** The target's stage first, then what it is built on, then what it takes files from. */
function needed({ stage, stages, loaded }: ConvertedTarget): readonly StageState[] {
  const found = new Set<PlannedStage>();
  const waiting = [stage.planned];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    const sources = [...(loaded.get(next)?.sources.values() ?? [])].filter(isStage);
    waiting.push(...sources.toReversed(), ...(next.base ? [next.base] : []));
  }
  return [...found].flatMap((each) => stages.get(each) ?? []);
}

function firstOfEach<T>(entries: readonly (readonly [string, T])[]): [string, T][] {
  return [...new Map(entries.toReversed())].toReversed();
}

function byLine<T extends { readonly range: SourceRange }>(entries: readonly [string, T][]): [string, T][] {
  return entries.toSorted(([, a], [, b]) => a.range.startLine - b.range.startLine);
}

interface NeedJson {
  readonly name: string;
  readonly required?: boolean;
}

function needs(entries: readonly (readonly [string, OutlineNeed])[]): NeedJson[] {
  return byLine(firstOfEach(entries)).map(([name, { required, range }]) => ({
    name,
    ...(required ? { required } : {}),
    location: locationOf(range),
  }));
}

function needRow({ name, required }: NeedJson): string[] {
  return [name, required ? 'true' : ''];
}

function some(key: string, values: readonly unknown[]): Record<string, unknown> {
  return values.length > 0 ? { [key]: values } : {};
}

function headOf({ name, description }: { readonly name?: string; readonly description?: string }): string {
  if (name === undefined && description === undefined) return '';
  const rows = [
    ['TARGET:', name ?? '(default)'],
    ...(description === undefined ? [] : [['DESCRIPTION:', description]]),
  ];
  return `${drawTable(rows, 1)}\n`;
}

function section(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `${drawTable([head, ...rows], 3)}\n`;
}
