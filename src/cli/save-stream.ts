import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SlipwayError, systemErrorCode } from '../base/errors.ts';

/** Writes what the daemon sends to standard output or a file. A file is there whole or as it was before. */
export async function saveStream(source: Readable, output: string | undefined): Promise<void> {
  const before = output === undefined ? undefined : statSync(output, { throwIfNoEntry: false });
  // Devices and pipes are written as they stand.
  const aside = output === undefined || (before && !before.isFile()) ? output : `${output}.${process.pid}.part`;
  try {
    await pipeline(source, aside === undefined ? process.stdout : createWriteStream(aside, { mode: 0o600 }));
    if (aside !== undefined && output !== undefined && aside !== output) renameSync(aside, output);
  } catch (error) {
    if (aside !== undefined && aside !== output) rmSync(aside, { force: true });
    if (systemErrorCode(error) !== 'ECONNRESET') throw error;
    throw new SlipwayError('data-loss', 'the daemon broke off in the middle of what it sent', {
      hint: 'daemon.log in its root says why',
      cause: error,
    });
  }
}
