import { SlipwayError } from '../base/errors.ts';

/** docker's clients tell exit codes 126 and 127 by these words. */
export function inDockersWords(error: unknown, command: readonly string[], attempted = 'start container'): unknown {
  if (!(error instanceof SlipwayError) || (error.code !== 'not-found' && error.code !== 'permission-denied'))
    return error;
  const words = error.code === 'not-found' ? 'executable file not found in $PATH' : 'permission denied';
  return new SlipwayError(error.code, `failed to ${attempted}: exec: ${JSON.stringify(command[0])}: ${words}`, {
    cause: error,
  });
}

export function startFailureCode(error: unknown): number {
  if (!(error instanceof SlipwayError)) return 128;
  return error.code === 'not-found' ? 127 : error.code === 'permission-denied' ? 126 : 128;
}
