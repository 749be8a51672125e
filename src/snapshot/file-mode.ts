import { invalidArgument } from '../base/errors.ts';

const who: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007 };
const spread: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };

/**
 * chmod(1)'s words, octal or symbolic (`u=rwX,go+r`), applied to a file's mode. `X` is execution for directories and for what
 * somebody may execute already.
 */
export function applyMode(words: string, mode: number, isDirectory: boolean): number {
  if (/^[0-7]{1,5}$/.test(words)) return Number.parseInt(words, 8) & 0o7777;
  let result = mode;
  for (const clause of words.split(',')) result = applyClause(clause, result, isDirectory, words);
  return result;
}

function applyClause(clause: string, mode: number, isDirectory: boolean, words: string): number {
  const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
  if (!match) {
    throw invalidArgument(`cannot use mode ${JSON.stringify(words)}`, {
      hint: 'want octal digits such as 0755, or words such as u=rwX,go=rX',
    });
  }
  const everybody = match[1] === '' || match[1]?.includes('a') === true;
  const mask = everybody ? 0o7777 : [...(match[1] ?? '')].reduce((bits, each) => bits | (who[each] ?? 0), 0);
  let result = mode;
  for (const [, operator, permissions = ''] of (match[2] ?? '').matchAll(/([-+=])([rwxXstugo]*)/g)) {
    const bits = bitsOf(permissions, result, isDirectory) & mask;
    if (operator === '+') result |= bits;
    else if (operator === '-') result &= ~bits;
    else
      result =
        (result &
          ~(mask & 0o777) &
          ~(permissions.includes('s') || permissions.includes('t') ? 0 : mask & 0o7000 & (isDirectory ? 0 : 0o7000))) |
        bits;
  }
  return result & 0o7777;
}

function bitsOf(permissions: string, mode: number, isDirectory: boolean): number {
  let bits = 0;
  for (const each of permissions) {
    if (each === 'X') bits |= isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0;
    else if (each === 's') bits |= 0o6000;
    else if (each === 't') bits |= 0o1000;
    else if (each === 'u') bits |= ((mode >> 6) & 7) * 0o111;
    else if (each === 'g') bits |= ((mode >> 3) & 7) * 0o111;
    else if (each === 'o') bits |= (mode & 7) * 0o111;
    else bits |= spread[each] ?? 0;
  }
  return bits;
}
