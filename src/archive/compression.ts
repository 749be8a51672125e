import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { invalidArgument, SlipwayError } from '../base/errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** Told by the first bytes, as Docker does, never by a name. */
export function detectCompression(start: Uint8Array): Compression {
  return magics.find(([, magic]) => magic.every((byte, i) => start[i] === byte))?.[0] ?? 'none';
}

/** Undoes whatever compression the bytes begin with. */
export async function* decompress(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const iterator = bytes[Symbol.asyncIterator]();
  const start: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  while (size < 6 && !ended) {
    const next = await iterator.next();
    ended = next.done === true;
    if (!next.done) start.push(next.value);
    size += next.done ? 0 : next.value.length;
  }
  const all = (async function* () {
    yield* start;
    if (!ended) yield* { [Symbol.asyncIterator]: () => iterator };
  })();
  yield* inflate(all, detectCompression(Buffer.concat(start)));
}

async function* inflate(bytes: AsyncIterable<Uint8Array>, compression: Compression): AsyncGenerator<Uint8Array, void> {
  switch (compression) {
    case 'none':
      yield* bytes;
      break;
    case 'gzip':
      yield* through(bytes, createGunzip({ chunkSize: 256 * 1024 }), compression);
      break;
    case 'zstd':
      yield* through(bytes, createZstdDecompress({ chunkSize: 256 * 1024 }), compression);
      break;
    case 'bzip2':
    case 'xz':
      yield* throughProgram(bytes, compression);
      break;
  }
}

async function* through(
  bytes: AsyncIterable<Uint8Array>,
  transform: NodeJS.ReadWriteStream & Readable,
  what: string,
): AsyncGenerator<Uint8Array, void> {
  const source = Readable.from(bytes, { objectMode: false });
  source.on('error', (error) => transform.destroy(error));
  source.pipe(transform);
  try {
    yield* transform;
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    throw invalidArgument(`cannot read the ${what} data: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  } finally {
    source.destroy();
    transform.destroy();
  }
}

/** The two that Node lacks. The program is the host's own, started with no argument from outside. */
async function* throughProgram(
  bytes: AsyncIterable<Uint8Array>,
  program: 'bzip2' | 'xz',
): AsyncGenerator<Uint8Array, void> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: '/usr/bin:/bin' } });
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  exited.catch(() => {
    // Awaited below, once the output has ended.
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    if (complaint.length < 1000) complaint += chunk;
  });
  const source = Readable.from(bytes, { objectMode: false });
  // The program may stop reading early: that shows in its exit code.
  child.stdin.on('error', () => source.destroy());
  source.on('error', () => child.kill());
  source.pipe(child.stdin);
  try {
    yield* child.stdout;
    const code = await exited;
    if (code !== 0)
      throw invalidArgument(`cannot read the ${program} data: ${complaint.trim() || `exit code ${code}`}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new SlipwayError(
        'failed-precondition',
        `cannot read ${program} data: there is no ${program} on this machine`,
        {
          hint: `apt-get install ${program === 'xz' ? 'xz-utils' : program}`,
        },
      );
    }
    throw error;
  } finally {
    source.destroy();
    child.kill();
  }
}
