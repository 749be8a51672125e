import type { Hash } from 'node:crypto';
import { invalidArgument, SlipwayError } from './errors.ts';

/** `sha256:` and 64 lower-case hex digits over exact bytes (OCI image-spec, descriptor.md#digests). */
export type Digest = string & { readonly __brand: 'Digest' };

const digestForm = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return digestForm.test(text);
}

/** Checks a digest from outside; a wrong algorithm, length or case is refused before it can become part of a path. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw invalidArgument(
      `cannot use ${JSON.stringify(text.slice(0, 100))} as a digest: want sha256: and 64 hex digits`,
    );
  }
  return text;
}

/** Loaded at first use: many commands never hash anything, and it takes milliseconds of their start. */
export function createSha256(): Hash {
  return process.getBuiltinModule('node:crypto').createHash('sha256');
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return digestOfHash(createSha256().update(bytes));
}

export function digestOfHash(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}` as Digest;
}

export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Passes the bytes through and, at the end, insists on their digest and, when it is known, their size. */
export async function* verifyDigest(
  bytes: AsyncIterable<Uint8Array>,
  want: Digest,
  wantSize?: number,
): AsyncIterable<Uint8Array> {
  const hash = createSha256();
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (wantSize !== undefined && size > wantSize) {
      throw new SlipwayError('data-loss', `cannot read blob "${want}": got more than the expected ${wantSize} bytes`);
    }
    hash.update(chunk);
    yield chunk;
  }
  if (wantSize !== undefined && size !== wantSize) {
    throw new SlipwayError('data-loss', `cannot read blob "${want}": got ${size} bytes, expected ${wantSize}`);
  }
  const got = digestOfHash(hash);
  if (got !== want) throw new SlipwayError('data-loss', `cannot read blob "${want}": its bytes have digest "${got}"`);
}
