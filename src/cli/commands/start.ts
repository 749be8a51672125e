import { SlipwayError } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { attachStreams } from '../container/attach-streams.ts';
import { containerPath } from '../container/container-path.ts';
import { openEngine } from '../engine.ts';
import { UsageError } from '../flags.ts';
import { reportError } from '../report-error.ts';

interface ContainerState {
  readonly Id: string;
  readonly Config: { readonly Tty?: boolean; readonly OpenStdin?: boolean };
  readonly HostConfig: { readonly AutoRemove?: boolean };
  readonly State: { readonly Running: boolean; readonly Paused?: boolean };
}

const inspect = (engine: EngineClient, name: string) =>
  engine.json<ContainerState>('GET', `${containerPath(name)}/json`);

export const runStart: CommandRun = async ({ flags, args }, { locations }) => {
  const attached = flags.boolean('attach') || flags.boolean('interactive');
  if (attached && args.length > 1) throw new UsageError('you cannot start and attach multiple containers at once');
  const engine = await openEngine(locations);
  const [first = ''] = args;
  if (attached) {
    const container = await inspect(engine, first);
    return attach(engine, container, {
      interactive: flags.boolean('interactive') && container.Config.OpenStdin === true,
      proxySignals: true,
      detachKeys: flags.text('detach-keys'),
      start: true,
    });
  }
  let code = 0;
  for (const name of args) {
    try {
      await engine.text('POST', `${containerPath(name)}/start`);
      console.log(name);
    } catch (error) {
      code = reportError(error);
    }
  }
  return code;
};

export const runAttach: CommandRun = async ({ flags, args: [name = ''] }, { locations }) => {
  const engine = await openEngine(locations);
  const container = await inspect(engine, name);
  if (!container.State.Running)
    throw new SlipwayError('failed-precondition', 'cannot attach to a stopped container, start it first');
  if (container.State.Paused)
    throw new SlipwayError('failed-precondition', 'cannot attach to a paused container, unpause it first');
  return attach(engine, container, {
    interactive: !flags.boolean('no-stdin') && container.Config.OpenStdin === true,
    proxySignals: !flags.has('sig-proxy') || flags.boolean('sig-proxy'),
    detachKeys: flags.text('detach-keys'),
    start: false,
  });
};

interface Attaching {
  readonly interactive: boolean;
  readonly proxySignals: boolean;
  readonly detachKeys: string | undefined;
  readonly start: boolean;
}

/** Attaches to a container, starts it where asked, and answers its exit code. */
async function attach(
  engine: EngineClient,
  { Id, Config, HostConfig }: ContainerState,
  how: Attaching,
): Promise<number> {
  const path = containerPath(Id);
  const stream = await engine.hijack(`${path}/attach`, {
    query: { stream: true, stdin: how.interactive, stdout: true, stderr: true, detachKeys: how.detachKeys },
  });
  const streams = attachStreams(engine, stream, {
    ...how,
    tty: Config.Tty === true,
    resizePath: `${path}/resize`,
    killPath: `${path}/kill`,
  });
  const condition = HostConfig.AutoRemove ? 'removed' : how.start ? 'next-exit' : 'not-running';
  const waiting = new AbortController();
  const exit = engine.json<{ StatusCode: number }>('POST', `${path}/wait`, {
    query: { condition },
    signal: waiting.signal,
  });
  exit.catch(() => {
    // Awaited below, unless the start fails before.
  });
  streams.connect();
  try {
    if (how.start) await engine.text('POST', `${path}/start`);
    if ((await streams.ended) === 'detached') return 0;
    return (await exit).StatusCode;
  } finally {
    waiting.abort();
    streams.restore();
    stream.destroy();
  }
}
