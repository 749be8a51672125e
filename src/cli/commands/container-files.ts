import { invalidArgument } from '../../base/errors.ts';
import { familiarRepository, parseReference } from '../../oci/reference.ts';
import type { CommandRun } from '../command.ts';
import { containerPath } from '../container/container-path.ts';
import { openEngine } from '../engine.ts';
import { saveStream } from '../save-stream.ts';

export const runExport: CommandRun = async ({ flags, args: [name = ''] }, { locations }) => {
  const output = flags.text('output');
  if (output === undefined && process.stdout.isTTY)
    throw invalidArgument('cannot write an archive to a terminal', { hint: 'use the -o flag or redirect' });
  const engine = await openEngine(locations);
  const response = await engine.open('GET', `${containerPath(name)}/export`);
  await saveStream(response, output);
  return 0;
};

export const runCommit: CommandRun = async ({ flags, args: [name = '', target] }, { locations }) => {
  const reference = target === undefined ? undefined : parseReference(target);
  const engine = await openEngine(locations);
  const pause = !flags.boolean('no-pause') && (!flags.has('pause') || flags.boolean('pause'));
  const query = {
    container: name,
    repo: reference && familiarRepository(reference),
    tag: reference && (reference.tag ?? 'latest'),
    comment: flags.text('message'),
    author: flags.text('author'),
    changes: flags.list('change'),
    pause: pause ? '1' : '0',
  };
  const { Id } = await engine.json<{ Id: string }>('POST', '/commit', { query });
  console.log(Id);
  return 0;
};
