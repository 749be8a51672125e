import type { CommandRun } from '../command.ts';
import { containerPath } from '../container/container-path.ts';
import { copyMultiplexed } from '../copy-streams.ts';
import { openEngine } from '../engine.ts';
import { timestampOf } from '../format/timestamp.ts';

export const runLogs: CommandRun = async ({ flags, args }, { locations }) => {
  const path = containerPath(args[0] ?? '');
  const engine = await openEngine(locations);
  const { Config } = await engine.json<{ Config: { Tty?: boolean } }>('GET', `${path}/json`);
  const query = {
    stdout: true,
    stderr: true,
    follow: flags.boolean('follow'),
    tail: flags.text('tail') ?? 'all',
    timestamps: flags.boolean('timestamps'),
    details: flags.boolean('details'),
    since: timestampOf(flags.text('since')),
    until: timestampOf(flags.text('until')),
  };
  const response = await engine.open('GET', `${path}/logs`, { query });
  if (Config.Tty) for await (const chunk of response) process.stdout.write(chunk);
  else await copyMultiplexed(response, process.stdout, process.stderr);
  return 0;
};
