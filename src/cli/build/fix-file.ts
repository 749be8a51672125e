import { chmodSync, chownSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument, SlipwayError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { type Change, fixDockerfile } from '../../dockerfile/lint/fix-dockerfile.ts';
import { drawLintError, type LintResults, readLintResults } from '../../frontend/subrequests/lint-results.ts';
import { cleanLines } from '../progress/terminal-text.ts';

/** `slipway build --fix`: mends the file that was checked and prints what changed; answers the exit code, 0 when nothing is left. */
export function fixFile(json: string, directory: string | undefined, shown = 'Dockerfile'): number {
  const results = readLintResults(json);
  const [source] = results.sources;
  if (directory === undefined || !source)
    throw invalidArgument('cannot fix a Dockerfile that is not a file here', {
      hint: 'check out its context and fix it there',
    });
  const bytes = Buffer.from(source.data, 'base64');
  const warnings = warningsOf(results);
  const { text, changes, fixed } = fixDockerfile(bytes.toString('utf8'), warnings);
  if (changes.length > 0) replaceFile(join(directory, source.filename), bytes, Buffer.from(text), shown);
  process.stdout.write(cleanLines(changes.map((change) => drawChange(change, shown)).join('')));
  const left = warnings.length - fixed;
  const count = `${warnings.length} warning${warnings.length === 1 ? '' : 's'}`;
  process.stdout.write(`Fixed ${fixed} of ${count} in ${cleanLines(shown)}.\n`);
  if (left > 0) process.stdout.write(`${left} left: only a person can tell. See slipway build --check.\n`);
  const error = isOnlyStrict(results) ? '' : drawLintError(results, shown);
  if (error !== '') process.stderr.write(`ERROR: ${cleanLines(error)}\n`);
  return left > 0 || error !== '' ? 1 : 0;
}

function warningsOf({ warnings }: LintResults) {
  return (warnings ?? []).map(({ ruleName: rule, detail: message, location }) => ({
    rule,
    message,
    line: location.ranges?.[0]?.start.line ?? 0,
  }));
}

/** `# check=error=true` turned the warnings themselves into the error. */
function isOnlyStrict({ buildError }: LintResults): boolean {
  return buildError?.message.startsWith('lint violation found') === true;
}

/** Never a file that is not what was checked. */
function replaceFile(path: string, before: Buffer, after: Buffer, shown: string): void {
  const real = realpathSync(path);
  const { mode, uid, gid } = statSync(real);
  if (!readFileSync(real).equals(before))
    throw new SlipwayError(
      'failed-precondition',
      `cannot fix ${JSON.stringify(shown)}: it changed while it was checked`,
      {
        hint: 'run the command again',
      },
    );
  if (!Buffer.from(before.toString('utf8')).equals(before))
    throw invalidArgument(`cannot fix ${JSON.stringify(shown)}: it is not UTF-8`, { hint: 'save it as UTF-8' });
  writeFileAtomic(real, after);
  chmodSync(real, mode & 0o7777);
  if (uid !== process.getuid?.()) chownSync(real, uid, gid);
}

function drawChange({ line, before, after }: Change, shown: string): string {
  return [`${shown}:${line}`, ...before.map((text) => `-${text}`), ...after.map((text) => `+${text}`), ''].join('\n');
}
