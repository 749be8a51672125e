import { encodeHeader, paddingOf, type TarEntry } from './tar-header.ts';

export const plainEntry: TarEntry = {
  name: '',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  linkName: '',
  major: 0,
  minor: 0,
  xattrs: new Map(),
};

/** An archive of made-up members; content as text. */
export function archiveOf(...members: (Partial<TarEntry> & { content?: string })[]): Buffer {
  const parts = members.flatMap(({ content = '', ...entry }) => [
    encodeHeader({ ...plainEntry, size: content.length, ...entry }),
    Buffer.from(content),
    Buffer.alloc(paddingOf(content.length)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export async function* bytesOf(bytes: Uint8Array, piece = 1000) {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}
