import { errorMessage, SlipwayError } from '../base/errors.ts';
import { cleanLines } from './progress/terminal-text.ts';

/** Ctrl-C, as a shell tells it. */
export const interruptedExit = 130;

/** One error on stderr; answers the exit code. */
export function reportError(error: unknown, exit = 1): number {
  if (error instanceof SlipwayError && error.code === 'canceled') {
    process.stderr.write('ERROR: canceled\n');
    return interruptedExit;
  }
  const hint = error instanceof SlipwayError && error.hint !== undefined ? `\n${cleanLines(error.hint)}` : '';
  // Words of registries and of other people's files are among them.
  process.stderr.write(`slipway: ${cleanLines(errorMessage(error))}${hint}\n`);
  return exit;
}
