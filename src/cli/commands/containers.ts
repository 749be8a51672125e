import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { copyMultiplexed } from '../copy-streams.ts';
import { filterQuery, openEngine } from '../engine.ts';
import { UsageError } from '../flags.ts';
import { ellipsis, goTime, humanAge, shortId } from '../format/human.ts';
import type { Row } from '../format/table.ts';
import { printRows } from '../output.ts';
import { reportError } from '../report-error.ts';

interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Command: string;
  readonly Created: number;
  readonly State: string;
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>>;
}

const commandWidth = 20;

export const runPs: CommandRun = async ({ flags }, { locations }) => {
  const engine = await openEngine(locations);
  const last = flags.text('last');
  const containers = await engine.json<ContainerSummary[]>('GET', '/containers/json', {
    query: { all: flags.boolean('all') || last !== undefined, limit: last, filters: filterQuery(flags.list('filter')) },
  });
  const whole = flags.boolean('no-trunc');
  if (flags.boolean('quiet')) {
    for (const { Id } of containers) console.log(whole ? Id : shortId(Id));
    return 0;
  }
  const rows = containers.map(({ Id, Names, Image, Command, Created, State, Status, Labels }): Row => {
    const created = new Date(Created * 1000);
    return {
      ID: whole ? Id : shortId(Id),
      Image,
      Command: JSON.stringify(whole ? Command : ellipsis(Command, commandWidth)),
      CreatedAt: goTime(created),
      RunningFor: humanAge(created),
      Ports: '',
      State,
      Status,
      Names: Names.map((name) => name.replace(/^\//, '')).join(','),
      Labels: Object.entries(Labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    };
  });
  const columns = [
    ['ID', 'CONTAINER ID'],
    ['Image', 'IMAGE'],
    ['Command', 'COMMAND'],
    ['RunningFor', 'CREATED'],
    ['Status', 'STATUS'],
    ['Ports', 'PORTS'],
    ['Names', 'NAMES'],
  ] as const;
  printRows(rows, { columns, format: flags.text('format') });
  return 0;
};

/** Runs a call for each name, prints the names that it worked for. */
function forEach(
  command: string,
  call: (engine: EngineClient, name: string, flags: Parameters<CommandRun>[0]['flags']) => Promise<unknown>,
): CommandRun {
  return async ({ flags, args }, { locations }) => {
    if (args.length === 0) throw new UsageError(`"slipway ${command}" requires at least 1 argument`);
    const engine = await openEngine(locations);
    let code = 0;
    for (const name of args) {
      try {
        await call(engine, name, flags);
        console.log(name);
      } catch (error) {
        code = reportError(error);
      }
    }
    return code;
  };
}

const pathOf = (name: string) => `/containers/${encodeURIComponent(name)}`;

export const runRm = forEach('rm', (engine, name, flags) =>
  engine.text('DELETE', pathOf(name), { query: { force: flags.boolean('force'), v: flags.boolean('volumes') } }),
);
export const runStop = forEach('stop', (engine, name, flags) =>
  engine.text('POST', `${pathOf(name)}/stop`, { query: { t: flags.text('time'), signal: flags.text('signal') } }),
);
export const runKill = forEach('kill', (engine, name, flags) =>
  engine.text('POST', `${pathOf(name)}/kill`, { query: { signal: flags.text('signal') } }),
);

export const runLogs: CommandRun = async ({ flags, args }, { locations }) => {
  const [name, ...more] = args;
  if (name === undefined || more.length > 0) throw new UsageError('"slipway logs" requires exactly 1 argument');
  const engine = await openEngine(locations);
  const { Config } = await engine.json<{ Config: { Tty?: boolean } }>('GET', `${pathOf(name)}/json`);
  const query = {
    stdout: true,
    stderr: true,
    follow: flags.boolean('follow'),
    tail: flags.text('tail') ?? 'all',
    timestamps: flags.boolean('timestamps'),
  };
  const response = await engine.open('GET', `${pathOf(name)}/logs`, { query });
  if (Config.Tty) for await (const chunk of response) process.stdout.write(chunk);
  else await copyMultiplexed(response, process.stdout, process.stderr);
  return 0;
};
