import { createReadStream, openSync, type ReadStream } from 'node:fs';
import { invalidArgument, SlipwayError, systemErrorCode } from '../../base/errors.ts';
import { familiarRepository, parseReference } from '../../oci/reference.ts';
import type { CommandRun } from '../command.ts';
import { openEngine } from '../engine.ts';
import { saveStream } from '../save-stream.ts';
import { showTransfer } from '../show-transfer.ts';

export const runSave: CommandRun = async ({ flags, args }, { locations }) => {
  const output = flags.text('output');
  if (output === undefined && process.stdout.isTTY)
    throw invalidArgument('cowardly refusing to save to a terminal', { hint: 'use the -o flag or redirect' });
  const engine = await openEngine(locations);
  const response = await engine.open('GET', '/images/get', {
    query: { names: args, platform: flags.list('platform') },
  });
  await saveStream(response, output);
  return 0;
};

export const runLoad: CommandRun = async ({ flags }, { locations }) => {
  const input = flags.text('input');
  if (input === undefined && process.stdin.isTTY)
    throw invalidArgument('requested load from stdin, but stdin is empty', { hint: 'give the archive with -i' });
  const body = input === undefined ? process.stdin : openArchive(input);
  const engine = await openEngine(locations);
  const request = {
    body,
    headers: { 'content-type': 'application/x-tar' },
    query: { platform: flags.list('platform') },
  };
  await showTransfer(engine.lines('POST', '/images/load', request), { quiet: flags.boolean('quiet') });
  return 0;
};

export const runImport: CommandRun = async ({ flags, args }, { locations }) => {
  const [file = '', name] = args;
  const reference = name === undefined ? undefined : parseReference(name);
  const body = file === '-' ? process.stdin : openArchive(file);
  const engine = await openEngine(locations);
  const query = {
    fromSrc: '-',
    repo: reference && familiarRepository(reference),
    tag: reference?.tag,
    changes: flags.list('change'),
    message: flags.text('message') ?? `Imported from ${file}`,
    platform: flags.text('platform'),
  };
  const request = { query, body, headers: { 'content-type': 'application/x-tar' } };
  await showTransfer(engine.lines('POST', '/images/create', request), { quiet: false });
  return 0;
};

/** Opened before anything is asked of the daemon, so that its failure is told as what it is. */
function openArchive(path: string): ReadStream {
  try {
    return createReadStream('', { fd: openSync(path, 'r'), highWaterMark: 1 << 20 });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') throw new SlipwayError('not-found', `open ${path}: no such file or directory`);
    if (code === 'EACCES') throw new SlipwayError('permission-denied', `open ${path}: permission denied`);
    throw error;
  }
}
