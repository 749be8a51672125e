import { readdirSync, statfsSync, statSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { extractArchive } from '../../archive/apply-layer.ts';
import { type LayerTarOptions, writeLayerTar, writeTreeTar } from '../../archive/layer-tar.ts';
import { AsyncQueue } from '../../base/async.ts';
import { errorMessage, invalidArgument, SlipwayError } from '../../base/errors.ts';
import type { FilesInput, FilesJob, FilesMessage, FilesTask } from './files-job.ts';
import { layerChanges } from './layer-changes.ts';
import { absolutePath, baseName, statPath } from './path-stat.ts';
import { showView } from './show-view.ts';

/** linux/magic.h: proc, sysfs, cgroup, cgroup2, devpts, mqueue, which hold the kernel's things and not the container's. */
const kernelsOwn = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202]);

const port = parentPort;
if (port) await run(workerData as FilesJob, port);

async function run({ view, task, pending, mostPending }: FilesJob, port: MessagePort): Promise<void> {
  const send = (message: FilesMessage, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);
  const counter = new Int32Array(pending);
  const sink = (bytes: Buffer) => {
    while (Atomics.load(counter, 0) >= mostPending) Atomics.wait(counter, 0, mostPending);
    Atomics.add(counter, 0, 1);
    const copy = new Uint8Array(bytes);
    send({ kind: 'piece', bytes: copy }, [copy.buffer]);
  };
  try {
    showView(view);
    await perform(task, send, sink, port);
    send({ kind: 'end' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    const hint = error instanceof SlipwayError ? error.hint : undefined;
    send({ kind: 'error', code, message: errorMessage(error), hint });
  }
  port.close();
}

async function perform(
  task: FilesTask,
  send: (message: FilesMessage) => void,
  sink: (bytes: Buffer) => void,
  port: MessagePort,
): Promise<void> {
  switch (task.kind) {
    case 'stat':
      return send({ kind: 'stat', stat: statPath(absolutePath(task.path)) });
    case 'read': {
      const path = absolutePath(task.path);
      send({ kind: 'stat', stat: statPath(path) });
      const name = baseName(path);
      return writeTreeTar(path, name === '/' ? '.' : name, sink, { closed: isKernels });
    }
    case 'write':
      return write(task, port, send);
    case 'export':
      return writeTreeTar('/', '', sink);
    case 'changeset':
      return writeLayerTar('/upper', sink, { omit: emptyStub(task.stubs) });
    case 'changes':
      return send({ kind: 'changes', changes: layerChanges('/upper', '/lower', task.stubs) });
  }
}

function isKernels(path: Buffer): boolean {
  return kernelsOwn.has(statfsSync(path).type);
}

/** What the runtime made to mount something on, unless the container has put something there. */
function emptyStub(stubs: readonly string[]): NonNullable<LayerTarOptions['omit']> {
  const known = new Set(stubs.map((path) => Buffer.from(path).toString('latin1').slice(1)));
  return (member, stat, path) =>
    known.has(member) && (stat.isDirectory() ? readdirSync(path).length === 0 : stat.isFile() && stat.size === 0n);
}

async function write(
  { path, owner, keepKinds }: Extract<FilesTask, { kind: 'write' }>,
  port: MessagePort,
  send: (message: FilesMessage) => void,
): Promise<void> {
  const directory = absolutePath(path);
  if (!statSync(directory).isDirectory()) throw invalidArgument('extraction point is not a directory');
  const queue = new AsyncQueue<Uint8Array>();
  port.on('message', (input: FilesInput) => (input === 'end' ? queue.end() : queue.push(input)));
  await extractArchive(taken(queue, send), directory, { owner, keepKinds });
}

async function* taken(
  pieces: AsyncIterable<Uint8Array>,
  send: (message: FilesMessage) => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    yield piece;
    send({ kind: 'taken' });
  }
}
