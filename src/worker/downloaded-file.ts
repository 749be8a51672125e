import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSha256, type Digest, digestOfHash } from '../base/digest.ts';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import { randomId } from '../base/random-id.ts';

export interface DownloadLimits {
  readonly bytes: number;
  /** At least so many bytes have to come in each span of so many milliseconds, from a stranger. */
  readonly pace?: Pace;
}

interface Pace {
  readonly bytes: number;
  readonly ms: number;
}

const byteLimit = 64 * 2 ** 30;
export const clientLimits: DownloadLimits = { bytes: byteLimit };
export const serverLimits: DownloadLimits = { bytes: byteLimit, pace: { bytes: 1024, ms: 60_000 } };

export interface DownloadOptions {
  /** Where the bytes lie meanwhile. */
  readonly directory: string;
  /** For messages. */
  readonly name: string;
  readonly limits: DownloadLimits;
  /** By what else the bytes are digested, such as `sha512`. */
  readonly algorithm?: string | undefined;
  readonly onBytes?: (current: number) => void;
}

const forgotten = new FinalizationRegistry<number>((fd) => closeSync(fd));

/** Bytes that came from elsewhere, in a file without a name: it goes when nobody needs it any more, or with the process. */
export class DownloadedFile {
  readonly digest: Digest;
  /** By the algorithm that was asked for. */
  readonly otherDigest: string;
  readonly #fd: number;

  private constructor(fd: number, digest: Digest, otherDigest: string) {
    this.#fd = fd;
    this.digest = digest;
    this.otherDigest = otherDigest;
    forgotten.register(this, fd);
  }

  /** Takes all bytes, with little memory however many they are. Throws resource-exhausted, deadline-exceeded. */
  static async from(bytes: AsyncIterable<Uint8Array>, options: DownloadOptions): Promise<DownloadedFile> {
    const { name, limits, algorithm = 'sha256', onBytes } = options;
    if (!/^sha(256|384|512)$/.test(algorithm))
      throw invalidArgument(`cannot check ${name}: ${JSON.stringify(algorithm)} is no digest that counts here`);
    const fd = openNameless(options.directory);
    try {
      const hash = createSha256();
      const other = algorithm === 'sha256' ? undefined : createHash(algorithm);
      let size = 0;
      for await (const part of limits.pace ? paced(bytes, name, limits.pace) : bytes) {
        size += part.length;
        if (size > limits.bytes)
          throw new SlipwayError('resource-exhausted', `cannot fetch ${name}: it is larger than ${limits.bytes} bytes`);
        hash.update(part);
        other?.update(part);
        for (let at = 0; at < part.length; ) at += writeSync(fd, part, at);
        onBytes?.(size);
      }
      const digest = digestOfHash(hash);
      return new DownloadedFile(fd, digest, other ? `${algorithm}:${other.digest('hex')}` : digest);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Writes the bytes into a file. */
  async copyTo(path: string): Promise<void> {
    await copyFile(`/proc/self/fd/${this.#fd}`, path);
  }
}

function openNameless(directory: string): number {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `download-${randomId()}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

/** Ends what drips: a server could hold a build for as long as it likes (CVE-2026-29049). */
async function* paced(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  { bytes: least, ms }: Pace,
): AsyncGenerator<Uint8Array> {
  let recent = 0;
  const slow = Promise.withResolvers<never>();
  slow.promise.catch(() => {
    // Whoever waits for the next bytes is told.
  });
  const timer = setInterval(() => {
    const words = `cannot fetch ${name}: no more than ${recent} bytes came in ${ms / 1000} s`;
    if (recent < least) slow.reject(new SlipwayError('deadline-exceeded', words));
    recent = 0;
  }, ms);
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), slow.promise]);
      if (next.done) return;
      recent += next.value.length;
      yield next.value;
    }
  } finally {
    clearInterval(timer);
    // Not awaited: where no byte comes, the end of them does not come either.
    iterator.return?.().catch(() => {});
  }
}
