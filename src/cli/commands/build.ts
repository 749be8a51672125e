import { writeFileSync } from 'node:fs';
import { StatusError } from '../../api/grpc/status.ts';
import { SlipwayError } from '../../base/errors.ts';
import { connectDaemon } from '../../client/connect.ts';
import { solve } from '../../client/solve.ts';
import { parseReference } from '../../oci/reference.ts';
import type { CommandRun } from '../command.ts';
import { ensureDaemon } from '../ensure-daemon.ts';
import type { FlagReader } from '../flags.ts';
import { parseBytes } from '../format/parse-bytes.ts';
import { createDisplay } from '../progress/create-display.ts';
import { progressOf } from '../progress/status-response.ts';
import { interruptedExit, reportError, sourceExcerpt } from '../report-error.ts';
import { openContext, readSecrets, readSshAgents } from './build-inputs.ts';
import { readOutputs } from './build-outputs.ts';

/** `slipway build`. */
export const runBuild: CommandRun = async ({ flags, args }, { locations }) => {
  const [context = ''] = args;
  const tags = flags.list('tag');
  for (const tag of tags) parseReference(tag);
  const outputs = readOutputs(flags, tags);
  const inputs = await openContext(context, flags);
  const secrets = readSecrets(flags.list('secret'));
  const sshAgents = readSshAgents(flags.list('ssh'));
  const display = createDisplay({ mode: flags.text('progress'), quiet: flags.boolean('quiet') });
  await ensureDaemon(locations);
  const channel = await connectDaemon(locations.host);
  const aborter = new AbortController();
  const interrupt = () => aborter.abort(new SlipwayError('canceled', 'the build was cancelled'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const { exporterResponse } = await solve(channel, {
      solve: {
        Frontend: 'dockerfile.v0',
        FrontendAttrs: { ...frontendOptions(flags), ...inputs.options },
        Exporters: outputs.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })),
        Entitlements: [...flags.list('allow')],
        Cache: { Exports: [], Imports: [] },
      },
      services: {
        directories: inputs.directories,
        sameMachine: locations.host.startsWith('unix://'),
        exports: outputs.map(({ target }) => target),
        secrets,
        sshAgents,
      },
      onProgress: (progress) => display.update(progressOf(progress)),
      signal: aborter.signal,
    });
    display.finish();
    report(flags, exporterResponse);
    return 0;
  } catch (error) {
    display.finish();
    if (aborter.signal.aborted) {
      process.stderr.write('ERROR: failed to build: context canceled\n');
      return interruptedExit;
    }
    if (error instanceof StatusError) {
      process.stderr.write(`${sourceExcerpt(error)}ERROR: failed to build: failed to solve: ${error.message}\n`);
      return 1;
    }
    return reportError(error);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    channel.close();
    inputs.close();
  }
};

function report(flags: FlagReader, response: Readonly<Record<string, string>>): void {
  const id = response['containerimage.config.digest'] ?? response['containerimage.digest'] ?? '';
  const iidFile = flags.text('iidfile');
  if (iidFile !== undefined) writeFileSync(iidFile, id);
  const metadataFile = flags.text('metadata-file');
  if (metadataFile !== undefined)
    writeFileSync(metadataFile, `${JSON.stringify(metadataOf(response), undefined, 2)}\n`);
  if (flags.boolean('quiet')) console.log(id);
}

function metadataOf(response: Readonly<Record<string, string>>): Record<string, unknown> {
  const entries = Object.entries(response).map(([key, value]): [string, unknown] => {
    if (key !== 'containerimage.descriptor') return [key, value];
    return [key, JSON.parse(Buffer.from(value, 'base64').toString('utf8'))];
  });
  return Object.fromEntries(entries);
}

/** Flags as the frontend's options (reference dockerfile.md §8). */
function frontendOptions(flags: FlagReader): Record<string, string> {
  const options: Record<string, string> = {};
  const pass = (flag: string, option: string, value = flags.text(flag)) => {
    if (value !== undefined && value !== '') options[option] = value;
  };
  pass('target', 'target');
  pass('cgroup-parent', 'cgroup-parent');
  pass('platform', 'platform', flags.list('platform').join(','));
  pass(
    'add-host',
    'add-hosts',
    flags
      .list('add-host')
      .map((text) => text.replace(/^([^:=]+)[:=]/, '$1='))
      .join(','),
  );
  pass('ulimit', 'ulimit', flags.list('ulimit').join(','));
  const network = flags.text('network');
  if (network !== undefined && network !== 'default') options['force-network-mode'] = network;
  const shm = flags.text('shm-size');
  if (shm !== undefined) options['shm-size'] = `${parseBytes(shm)}`;
  if (flags.boolean('pull')) options['image-resolve-mode'] = 'pull';
  if (flags.boolean('no-cache')) options['no-cache'] = '';
  else if (flags.has('no-cache-filter')) options['no-cache'] = flags.list('no-cache-filter').join(',');
  for (const text of flags.list('build-arg')) {
    const [key = '', ...rest] = text.split('=');
    const value = text.includes('=') ? rest.join('=') : process.env[key];
    if (value !== undefined) options[`build-arg:${key}`] = value;
  }
  for (const text of flags.list('label')) {
    const [key = '', ...rest] = text.split('=');
    options[`label:${key}`] = rest.join('=');
  }
  if (process.env.SOURCE_DATE_EPOCH && options['build-arg:SOURCE_DATE_EPOCH'] === undefined)
    options['build-arg:SOURCE_DATE_EPOCH'] = process.env.SOURCE_DATE_EPOCH;
  return options;
}
