import { writeFileSync } from 'node:fs';
import { StatusError } from '../../api/grpc/status.ts';
import { SlipwayError } from '../../base/errors.ts';
import { type BuildResult, solve } from '../../client/solve.ts';
import { parseReference } from '../../oci/reference.ts';
import { refuseOtherBuilder } from '../build/builder-name.ts';
import { readCacheOptions } from '../build/cache-options.ts';
import { type BuildCall, callOptions, printAnswer, readCall } from '../build/call.ts';
import { type BuildInputs, openContext } from '../build/context.ts';
import { readExplain } from '../build/explain/explain-form.ts';
import { frontendOptions } from '../build/frontend-options.ts';
import { buildMetadata } from '../build/metadata.ts';
import { readOutputs } from '../build/outputs.ts';
import { configuredProxies } from '../build/proxies.ts';
import { readSecrets, readSshAgents } from '../build/secrets.ts';
import { sourceExcerpt } from '../build/source-excerpt.ts';
import type { CommandRun } from '../command.ts';
import type { FlagReader } from '../flags.ts';
import { openDaemon } from '../open-daemon.ts';
import { type BuildDisplay, createDisplay } from '../progress/create-display.ts';
import { progressOf } from '../progress/status-response.ts';
import { cleanLines } from '../progress/terminal-text.ts';
import { summarizeWarnings } from '../progress/warning-summary.ts';
import { interruptedExit, reportError } from '../report-error.ts';

/** `slipway build`. */
export const runBuild: CommandRun = async ({ flags, args: [context = ''] }, { locations }) => {
  refuseOtherBuilder(flags.text('builder') ?? process.env.BUILDX_BUILDER);
  const call = readCall(flags);
  const explain = readExplain(flags);
  const tags = flags.list('tag');
  for (const tag of tags) parseReference(tag);
  const outputs = call ? [] : readOutputs(flags, tags);
  const cache = {
    Exports: readCacheOptions(flags.list('cache-to')),
    Imports: readCacheOptions(flags.list('cache-from')),
  };
  const options = frontendOptions(flags, process.env, configuredProxies(locations.host));
  const secrets = readSecrets(flags.list('secret'));
  const sshAgents = readSshAgents(flags.list('ssh'));
  const inputs = await openContext(context, flags);
  const display = createDisplay({
    mode: flags.text('progress'),
    quiet: flags.boolean('quiet'),
    builder: `slipway:${locations.isOwn ? 'default' : locations.host}`,
  });
  const aborter = new AbortController();
  const interrupt = () => aborter.abort(new SlipwayError('canceled', 'the build was cancelled'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const channel = await openDaemon(locations, aborter.signal);
    try {
      const result = await solve(channel, {
        solve: {
          Frontend: 'dockerfile.v0',
          FrontendAttrs: { ...options, ...inputs.options, ...callOptions(call) },
          Exporters: outputs.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })),
          // Who asks for the host's network for all steps has allowed it.
          Entitlements: [...flags.list('allow'), ...(flags.text('network') === 'host' ? ['network.host'] : [])],
          Cache: cache,
        },
        services: {
          directories: inputs.directories,
          layouts: inputs.layouts,
          sameMachine: locations.host.startsWith('unix://'),
          exports: outputs.map(({ target }) => target),
          secrets,
          sshAgents,
        },
        onProgress: (progress) => display.update(progressOf(progress)),
        signal: aborter.signal,
      });
      display.finish();
      report(flags, result, display);
      if (explain !== undefined)
        await (await import('../build/explain/explain.ts')).explain(channel, result.ref, explain);
      return call ? await answer(flags, call, result, inputs) : 0;
    } finally {
      channel.close();
    }
  } catch (error) {
    display.finish();
    return failed(error, aborter.signal.aborted);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    inputs.close();
  }
};

async function answer(
  flags: FlagReader,
  call: BuildCall,
  { exporterResponse }: BuildResult,
  { shownDockerfile, dockerfileDirectory }: BuildInputs,
): Promise<number> {
  if (!flags.boolean('fix')) return printAnswer(call, exporterResponse, shownDockerfile);
  const { fixFile } = await import('../build/fix-file.ts');
  return fixFile(exporterResponse['frontend.result.json'] ?? '', dockerfileDirectory, shownDockerfile);
}

function failed(error: unknown, interrupted: boolean): number {
  if (interrupted) {
    process.stderr.write('ERROR: failed to build: failed to solve: Canceled: context canceled\n');
    return interruptedExit;
  }
  if (!(error instanceof StatusError)) return reportError(error);
  const message = cleanLines(error.message);
  process.stderr.write(`${sourceExcerpt(error)}ERROR: failed to build: failed to solve: ${message}\n`);
  return 1;
}

function report(flags: FlagReader, { ref, exporterResponse }: BuildResult, display: BuildDisplay): void {
  if (display.mode === 'tty' || display.mode === 'plain') {
    const lines = summarizeWarnings(display.warnings, flags.boolean('debug'));
    if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
  }
  const id = exporterResponse['containerimage.config.digest'] ?? exporterResponse['containerimage.digest'] ?? '';
  const iidFile = flags.text('iidfile');
  if (iidFile !== undefined) writeFileSync(iidFile, id);
  const metadataFile = flags.text('metadata-file');
  if (metadataFile !== undefined) {
    const metadata = buildMetadata(ref, exporterResponse, display.warnings);
    writeFileSync(metadataFile, `${JSON.stringify(metadata, undefined, 2)}\n`);
  }
  if (flags.boolean('quiet') && id !== '') console.log(id);
}
