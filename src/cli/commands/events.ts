import { createInterface } from 'node:readline';
import type { CommandRun } from '../command.ts';
import { filterQuery, openEngine } from '../engine.ts';
import { compileTemplate, unescapeFormat } from '../format/template.ts';
import { timestampOf } from '../format/timestamp.ts';
import { cleanText } from '../progress/terminal-text.ts';

interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  readonly time: number;
  readonly timeNano?: number;
}

export const runEvents: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const query = {
    since: timestampOf(flags.text('since')),
    until: timestampOf(flags.text('until')),
    filters: filterQuery(flags.list('filter')),
  };
  const format = unescapeFormat(flags.text('format') ?? '');
  const show = format === 'json' ? undefined : format === '' ? eventLine : compileTemplate(format);
  for await (const line of createInterface({ input: await engine.open('GET', '/events', { query }) })) {
    if (line.trim() === '') continue;
    console.log(show ? show(JSON.parse(line)) : line);
  }
  return 0;
};

/** `2026-01-02T15:04:05.000000000Z container start 0123… (image=alpine, name=web)` */
export function eventLine(data: object): string {
  const { Type, Action, Actor, time } = data as EngineEvent;
  const attributes = Object.entries(Actor.Attributes ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const tail = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return cleanText(`${new Date(time * 1000).toISOString()} ${Type} ${Action} ${Actor.ID}${tail}`);
}
