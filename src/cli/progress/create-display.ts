import { invalidArgument } from '../../base/errors.ts';
import { progressColors } from './colors.ts';
import type { ProgressUpdate, ProgressWarning } from './events.ts';
import { PlainDisplay } from './plain-display.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { RawJsonDisplay } from './raw-json-display.ts';
import { type Terminal, TtyDisplay } from './tty-display.ts';

export interface DisplayOptions {
  /** As given by `--progress`; `BUILDKIT_PROGRESS` counts when it is absent. */
  readonly mode?: string | undefined;
  readonly quiet?: boolean | undefined;
  /** Named at the right of the terminal's first line. */
  readonly builder?: string | undefined;
  readonly output?: (Terminal & { readonly isTTY?: boolean | undefined }) | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/** A display that also keeps the warnings, for the end. */
export interface BuildDisplay extends ProgressDisplay {
  readonly mode: ProgressMode;
  readonly warnings: readonly ProgressWarning[];
}

export type ProgressMode = 'tty' | 'plain' | 'rawjson' | 'quiet';

/** Chooses how progress is shown: on a terminal as a table, elsewhere line by line. All of it goes to stderr. */
export function createDisplay(options: DisplayOptions = {}): BuildDisplay {
  const output = options.output ?? process.stderr;
  const environment = options.environment ?? process.env;
  const mode = options.quiet
    ? 'quiet'
    : progressMode(options.mode ?? environment.BUILDKIT_PROGRESS, output.isTTY === true);
  const display = displayOf(mode, output, options.builder, environment);
  const warnings: ProgressWarning[] = [];
  return {
    mode,
    warnings,
    update: (update: ProgressUpdate) => {
      warnings.push(...update.warnings);
      display?.update(update);
    },
    finish: () => display?.finish(),
  };
}

export function progressMode(given: string | undefined, isTerminal: boolean): ProgressMode {
  switch (given) {
    case undefined:
    case '':
    case 'auto':
      return isTerminal ? 'tty' : 'plain';
    case 'tty':
      if (!isTerminal) throw invalidArgument('cannot show progress as "tty": standard error is not a terminal');
      return 'tty';
    case 'plain':
    case 'rawjson':
    case 'quiet':
      return given;
    case 'none':
      return 'quiet';
    default:
      throw invalidArgument(`cannot show progress as ${JSON.stringify(given)}`, {
        hint: 'want auto, none, plain, quiet, rawjson or tty',
      });
  }
}

function displayOf(
  mode: ProgressMode,
  output: Terminal & { readonly isTTY?: boolean | undefined },
  builder: string | undefined,
  environment: NodeJS.ProcessEnv,
): ProgressDisplay | undefined {
  if (mode === 'quiet') return undefined;
  if (mode === 'rawjson') return new RawJsonDisplay(output);
  if (mode === 'plain') return new PlainDisplay({ output, colors: !environment.NO_COLOR });
  return new TtyDisplay({ output, builder, colors: progressColors(environment), logLines: logLinesOf(environment) });
}

function logLinesOf(environment: NodeJS.ProcessEnv): number | undefined {
  const text = environment.BUILDKIT_TTY_LOG_LINES ?? '';
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}
