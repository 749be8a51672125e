import { cleanText } from '../../progress/terminal-text.ts';
import type { ExplainedStep, Explanation, Reason } from './explain-steps.ts';

/** Files of one step that are named; the rest are counted. */
const mostFiles = 10;

/** For people: a paragraph per step that ran, and what would have kept it cached. */
export function explanationLines({ comparedWith, ran, cached, advice }: Explanation): string[] {
  const against =
    comparedWith === undefined ? '' : `, compared with the build of ${comparedWith.slice(0, 19).replace('T', ' ')}`;
  const head =
    ran.length === 0
      ? `Nothing ran: all ${cached} steps were cached`
      : `${count(ran.length, 'step')} ran, ${cached} cached`;
  return [
    `${head}${against}.`,
    ...ran.flatMap(stepLines),
    ...advice.flatMap(({ text, savedSeconds }) => [
      '',
      `This would have saved ${savedSeconds.toFixed(1)} s: ${cleanText(text)}.`,
    ]),
  ];
}

function stepLines({ name, lines, seconds, reasons }: ExplainedStep): string[] {
  const place = lines ? ` (line ${lines[0] === lines[1] ? lines[0] : `${lines[0]}-${lines[1]}`})` : '';
  const files = reasons.filter(({ kind }) => kind === 'file');
  const shown = reasons.filter((reason) => reason.kind !== 'file' || files.indexOf(reason) < mostFiles);
  const more = files.length > mostFiles ? [`   and ${count(files.length - mostFiles, 'file')} more`] : [];
  return [
    '',
    `${cleanText(name)}${place}  ${seconds.toFixed(1)} s`,
    ...shown.map((each) => `   ${cleanText(reasonText(each))}`),
    ...more,
  ];
}

function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'no-earlier-build':
      return 'there is no earlier build of this target to take it from';
    case 'no-cache':
      return 'you asked for it: --no-cache';
    case 'new-step':
      return 'the earlier build had no such step';
    case 'fact':
      return factText(reason);
    case 'base-image':
      return `the base image is another one: ${short(reason.before)} → ${short(reason.after)}`;
    case 'file':
      return `${fileWords[reason.change]} ${reason.path}`;
    case 'files':
      return `other files came from ${reason.from} (too many to list)`;
    case 'earlier-step':
      return `it builds on ${reason.step}, which is another one now`;
    case 'no-record':
      return 'nothing changed, but its result is no longer in the cache';
  }
}

const fileWords = { added: 'added  ', changed: 'changed', removed: 'removed', mode: 'mode of' } as const;

function factText({ name, before, after }: Extract<Reason, { kind: 'fact' }>): string {
  const words = name.replace(/^action \d+$/, 'instruction').replace(/^environment /, 'environment variable ');
  if (before === undefined) return `${words} is new: ${JSON.stringify(after)}`;
  if (after === undefined) return `${words} is gone: was ${JSON.stringify(before)}`;
  return `${words} changed: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}

function short(digest: string | undefined): string {
  return digest === undefined ? 'none' : digest.slice(0, 19);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
