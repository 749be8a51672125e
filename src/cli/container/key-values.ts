import { readFileSync } from 'node:fs';

/** `key=value` words as an object; a key alone has an empty value. The last of equal keys counts. */
export function keyValues(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=');
      return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

/** The lines of a file of variables or labels; comments and empty lines left out. */
export function readLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** `NAME=value` as it is; `NAME` alone takes the caller's value, or is left out when there is none. */
export function environmentEntry(word: string, environment: NodeJS.ProcessEnv = process.env): string[] {
  if (word.includes('=')) return [word];
  const value = environment[word];
  return value === undefined ? [] : [`${word}=${value}`];
}
