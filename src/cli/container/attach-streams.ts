import { spawnSync } from 'node:child_process';
import type { Socket } from 'node:net';
import type { EngineClient } from '../../client/engine-client.ts';
import { copyMultiplexed } from '../copy-streams.ts';
import { DetachKeys } from './detach-keys.ts';

export interface AttachOptions {
  readonly tty: boolean;
  /** Whether standard input goes to the process. */
  readonly interactive: boolean;
  readonly proxySignals: boolean;
  readonly detachKeys?: string | undefined;
  /** Where the API takes the terminal's size, such as `/containers/{id}/resize`. */
  readonly resizePath: string;
  /** Where the API takes signals; absent where there is no such place. */
  readonly killPath?: string | undefined;
}

export interface AttachedStreams {
  /** Resolves when the process has no more to say, or with `detached` when the user has typed the keys for that. */
  readonly ended: Promise<'ended' | 'detached'>;
  /** Gives the terminal, input and signals back. No error the second time. */
  restore(): void;
}

const proxied: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'];

/** Copies the process's output to ours from now on; `connect` adds input, signals and size once the process runs. */
export function attachStreams(
  engine: EngineClient,
  stream: Socket,
  options: AttachOptions,
): AttachedStreams & { connect(): void } {
  const undo: (() => void)[] = [];
  const detached = Promise.withResolvers<'detached'>();
  const output = options.tty ? copyRaw(stream) : copyMultiplexed(stream, process.stdout, process.stderr);
  const ended = Promise.race([output.then(() => 'ended' as const), detached.promise]);
  ended.catch(() => {
    // Whoever waits for it is told; nobody may.
  });
  return {
    ended,
    connect: () => {
      if (options.interactive) undo.push(connectInput(stream, options, detached.resolve));
      if (options.tty && process.stdout.isTTY) undo.push(followSize(engine, options.resizePath));
      else if (options.proxySignals && options.killPath !== undefined)
        undo.push(proxySignals(engine, options.killPath));
    },
    restore: () => {
      for (const each of undo.splice(0)) each();
    },
  };
}

async function copyRaw(stream: Socket): Promise<void> {
  for await (const chunk of stream) {
    if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}

function connectInput(
  stream: Socket,
  { tty, detachKeys }: AttachOptions,
  detach: (how: 'detached') => void,
): () => void {
  const { stdin } = process;
  const raw = tty && stdin.isTTY;
  const keys = raw ? new DetachKeys(detachKeys) : undefined;
  const take = (chunk: Buffer) => {
    const typed = keys ? keys.filter(chunk) : chunk;
    if (typed === 'detach') return detach('detached');
    if (typed.length > 0 && !stream.write(typed)) {
      stdin.pause();
      stream.once('drain', () => stdin.resume());
    }
  };
  const end = () => stream.end();
  stdin.on('data', take);
  stdin.on('end', end);
  if (raw) setRaw(stdin);
  return () => {
    if (raw) stdin.setRawMode(false);
    stdin.off('data', take);
    stdin.off('end', end);
    stdin.destroy();
  };
}

/** The container's terminal ends its lines itself; libuv's raw mode would end them a second time. */
function setRaw(stdin: NodeJS.ReadStream): void {
  stdin.setRawMode(true);
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

function followSize(engine: EngineClient, path: string): () => void {
  const tell = () => {
    const query = { h: `${process.stdout.rows}`, w: `${process.stdout.columns}` };
    engine.text('POST', path, { query }).catch(() => {
      // The process may have ended by now.
    });
  };
  tell();
  process.stdout.on('resize', tell);
  return () => process.stdout.off('resize', tell);
}

function proxySignals(engine: EngineClient, path: string): () => void {
  const forwards = proxied.map((signal) => {
    const forward = () => {
      engine.text('POST', path, { query: { signal } }).catch(() => {
        // As above.
      });
    };
    process.on(signal, forward);
    return () => process.off(signal, forward);
  });
  return () => {
    for (const each of forwards) each();
  };
}
