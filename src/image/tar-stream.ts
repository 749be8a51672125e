import { encodeHeader, paddingOf, type TarEntry } from '../archive/tar-header.ts';
import { TarReader } from '../archive/tar-reader.ts';
import { SlipwayError } from '../base/errors.ts';

/** A file for an archive of images. */
export interface PackedFile {
  readonly name: string;
  readonly size: number;
  readonly open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const common = { uid: 0, gid: 0, mtime: 0n, linkName: '', major: 0, minor: 0, xattrs: new Map<string, Uint8Array>() };

/** A tar of directories and files, in the given order; the same input always gives the same bytes. */
export async function* packTar(
  directories: readonly string[],
  files: Iterable<PackedFile>,
): AsyncGenerator<Uint8Array, void> {
  for (const name of directories)
    yield encodeHeader({ ...common, name: `${name}/`, type: 'directory', mode: 0o755, size: 0 });
  for (const { name, size, open } of files) {
    yield encodeHeader({ ...common, name, type: 'file', mode: 0o644, size });
    let written = 0;
    for await (const chunk of open()) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) {
      throw new SlipwayError(
        'data-loss',
        `cannot write "${name}" into the archive: got ${written} bytes, expected ${size}`,
      );
    }
    if (paddingOf(size) > 0) yield Buffer.alloc(paddingOf(size));
  }
  yield Buffer.alloc(1024);
}

export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

/** What is in a tar, in order, as it comes in; the consumer sets the pace. */
export async function* readTarEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarEvent, void> {
  let events: TarEvent[] = [];
  const reader = new TarReader({
    entry: (entry) => void events.push({ kind: 'entry', entry }),
    data: (data) => void events.push({ kind: 'data', bytes: data }),
    end: () => void events.push({ kind: 'end' }),
  });
  for await (const chunk of bytes) {
    reader.push(chunk);
    const ready = events;
    events = [];
    yield* ready;
  }
  reader.finish();
  yield* events;
}

/** The content of the file whose entry has just come. */
export async function* dataOf(events: AsyncIterator<TarEvent>): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const next = await events.next();
    if (next.done || next.value.kind !== 'data') return;
    yield next.value.bytes;
  }
}
