import { SlipwayError } from '../base/errors.ts';
import type { ContainerRecord } from './container-record.ts';

/** docker's client tells exit codes 126 and 127 by these words. */
export function inDockersWords(error: unknown, { config }: Pick<ContainerRecord, 'config'>): unknown {
  if (!(error instanceof SlipwayError) || (error.code !== 'not-found' && error.code !== 'permission-denied'))
    return error;
  const program = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])][0];
  const words = error.code === 'not-found' ? 'executable file not found in $PATH' : 'permission denied';
  return new SlipwayError(error.code, `failed to start container: exec: ${JSON.stringify(program)}: ${words}`, {
    cause: error,
  });
}

export function startFailureCode(error: unknown): number {
  if (!(error instanceof SlipwayError)) return 128;
  return error.code === 'not-found' ? 127 : error.code === 'permission-denied' ? 126 : 128;
}
