import { readFileSync } from 'node:fs';
import { SlipwayError } from '../base/errors.ts';

/** Why the runtime did not start a container's program, by its log; undefined when the log knows of no failure. */
export function startFailure(logFile: string, id: string, executable: string): SlipwayError | undefined {
  const message = lastError(logFile);
  if (message === undefined) return undefined;
  const what = `cannot start container "${id}"`;
  const program = JSON.stringify(executable);
  if (aboutExecutable.test(message) && /no such file or directory|not found/i.test(message)) {
    return new SlipwayError('not-found', `${what}: found no executable ${program} in it`, {
      hint: 'check the name and the PATH; a script or dynamic program is also missing when its interpreter is',
    });
  }
  if (
    aboutExecutable.test(message) &&
    /permission denied|not permitted|is a directory|exec format error/i.test(message)
  ) {
    const why = /exec format error/i.test(message) ? 'it is no program for this machine' : 'it is not executable';
    return new SlipwayError('permission-denied', `${what}: cannot execute ${program}: ${why}`);
  }
  return new SlipwayError('failed-precondition', `${what}: ${message}`);
}

/** crun: "executable file `x` not found", "open executable", "exec x"; runc: `exec: "x"`, "exec /x". */
const aboutExecutable = /executable|\bexec\b/i;

/** One JSON object a line, with `level` and `msg`; runc writes debug lines too. */
function lastError(logFile: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(logFile, 'utf8');
  } catch {
    return undefined;
  }
  const messages = text.split('\n').flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      if (typeof entry !== 'object' || entry === null || !('msg' in entry)) return [];
      const level = 'level' in entry ? entry.level : 'error';
      return level === 'error' || level === 'fatal' ? [String(entry.msg)] : [];
    } catch {
      return [];
    }
  });
  return messages.at(-1);
}
