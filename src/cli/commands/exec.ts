import { invalidArgument } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { attachStreams } from '../container/attach-streams.ts';
import { containerPath } from '../container/container-path.ts';
import { environmentEntry, readLines } from '../container/key-values.ts';
import { openEngine } from '../engine.ts';
import type { FlagReader } from '../flags.ts';

export const runExec: CommandRun = async ({ flags, args: [name = '', ...command] }, { locations }) => {
  const tty = flags.boolean('tty');
  const interactive = flags.boolean('interactive');
  const detached = flags.boolean('detach');
  if (tty && interactive && !detached && !process.stdin.isTTY) throw invalidArgument('the input device is not a TTY');
  const engine = await openEngine(locations);
  const json = execBody(flags, command);
  const { Id } = await engine.json<{ Id: string }>('POST', `${containerPath(name)}/exec`, { json });
  const path = `/exec/${Id}`;
  if (detached) {
    await engine.text('POST', `${path}/start`, { json: { Detach: true, Tty: tty } });
    return 0;
  }
  return attachExec(engine, path, { tty, interactive, detachKeys: flags.text('detach-keys') });
};

function execBody(flags: FlagReader, command: readonly string[]): object {
  const attached = !flags.boolean('detach');
  return {
    User: flags.text('user') ?? '',
    Privileged: flags.boolean('privileged'),
    Tty: flags.boolean('tty'),
    AttachStdin: attached && flags.boolean('interactive'),
    AttachStdout: attached,
    AttachStderr: attached,
    Env: [...flags.list('env-file').flatMap(readLines), ...flags.list('env')].flatMap((word) => environmentEntry(word)),
    WorkingDir: flags.text('workdir') ?? '',
    Cmd: command,
    ...(flags.has('detach-keys') ? { DetachKeys: flags.text('detach-keys') } : {}),
  };
}

interface Attaching {
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly detachKeys: string | undefined;
}

async function attachExec(engine: EngineClient, path: string, how: Attaching): Promise<number> {
  const ConsoleSize = how.tty && process.stdout.isTTY ? [process.stdout.rows, process.stdout.columns] : undefined;
  const json = { Detach: false, Tty: how.tty, ...(ConsoleSize ? { ConsoleSize } : {}) };
  const stream = await engine.hijack(`${path}/start`, { json });
  const streams = attachStreams(engine, stream, { ...how, proxySignals: false, resizePath: `${path}/resize` });
  streams.connect();
  try {
    if ((await streams.ended) === 'detached') return 0;
    const { ExitCode } = await engine.json<{ ExitCode: number | null }>('GET', `${path}/json`);
    return ExitCode ?? 0;
  } finally {
    streams.restore();
    stream.destroy();
  }
}
