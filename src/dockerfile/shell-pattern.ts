import { ParseFailure } from './parse-failure.ts';

/** One place of a pattern: a character, or any one character. */
type Place = { readonly character: string } | 'any';

/** The places between the stars; `a*b` has two segments, a pattern without a star has one. */
export interface ShellPattern {
  readonly segments: readonly (readonly Place[])[];
}

/** Longer ones are not written by people, and would make the search slow. Characters. */
const patternLimit = 1000;

/** `*`, `?` and `\` before them, `\`, `}` or `/`, as in `${v#pattern}`. Throws ParseFailure on any other escape. */
export function readShellPattern(text: string): ShellPattern {
  if (text.length > patternLimit) throw new ParseFailure(`its pattern is longer than ${patternLimit} characters`);
  const segments: Place[][] = [[]];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at] ?? '';
    if (character === '*') {
      segments.push([]);
      continue;
    }
    let place: Place = character === '?' ? 'any' : { character };
    if (character === '\\') {
      character = characters[++at] ?? '';
      if (character === '' || !'*?\\}/'.includes(character))
        throw new ParseFailure(`invalid pattern (${text}) in substitution: invalid escape '\\${character}'`);
      place = { character };
    }
    segments.at(-1)?.push(place);
  }
  return { segments };
}

/** `${v#p}` and, longest, `${v##p}`. */
export function trimPrefix(value: string, pattern: ShellPattern, longest: boolean): string {
  const characters = Array.from(value);
  const end = matchEnd(characters, 0, pattern, longest);
  return end === undefined ? value : characters.slice(end).join('');
}

/** `${v%p}` and, longest, `${v%%p}`. */
export function trimSuffix(value: string, pattern: ShellPattern, longest: boolean): string {
  const backwards = { segments: pattern.segments.map((segment) => segment.toReversed()).toReversed() };
  const characters = Array.from(value).toReversed();
  const end = matchEnd(characters, 0, backwards, longest);
  return end === undefined ? value : characters.slice(end).toReversed().join('');
}

/** `${v/p/r}` and, all of them, `${v//p/r}`: the longest match at the leftmost place, then on from its end. */
export function replaceMatches(value: string, pattern: ShellPattern, replacement: string, all: boolean): string {
  const characters = Array.from(value);
  const result: string[] = [];
  let at = 0;
  let matchedUntil = -1;
  while (at <= characters.length) {
    const found = findMatch(characters, at, pattern);
    if (!found) break;
    const [start, end] = found;
    const repeated = start === end && start === matchedUntil;
    for (let i = at; i < start; i++) result.push(characters[i] ?? '');
    if (!repeated) result.push(replacement);
    if (start === end && end < characters.length) result.push(characters[end] ?? '');
    at = start === end ? end + 1 : end;
    matchedUntil = end;
    if (!all) break;
  }
  for (let i = at; i < characters.length; i++) result.push(characters[i] ?? '');
  return result.join('');
}

/** Where a match that begins exactly here ends. */
function matchEnd(
  value: readonly string[],
  start: number,
  { segments }: ShellPattern,
  longest: boolean,
): number | undefined {
  const [first = [], ...rest] = segments;
  if (!fits(value, start, first)) return undefined;
  let end = start + first.length;
  for (const [i, segment] of rest.entries()) {
    const last = longest && i === rest.length - 1;
    const place = last ? lastFit(value, end, segment) : firstFit(value, end, segment);
    if (place === undefined) return undefined;
    end = place + segment.length;
  }
  return end;
}

/** When what follows the first star is missing after one place, it is missing after all later ones too: the search ends. */
function findMatch(value: readonly string[], from: number, pattern: ShellPattern): [number, number] | undefined {
  const [first = []] = pattern.segments;
  const start = firstFit(value, from, first);
  if (start === undefined) return undefined;
  const end = matchEnd(value, start, pattern, true);
  return end === undefined ? undefined : [start, end];
}

function firstFit(value: readonly string[], from: number, segment: readonly Place[]): number | undefined {
  for (let at = from; at + segment.length <= value.length; at++) if (fits(value, at, segment)) return at;
  return undefined;
}

function lastFit(value: readonly string[], from: number, segment: readonly Place[]): number | undefined {
  for (let at = value.length - segment.length; at >= from; at--) if (fits(value, at, segment)) return at;
  return undefined;
}

function fits(value: readonly string[], at: number, segment: readonly Place[]): boolean {
  if (at + segment.length > value.length) return false;
  for (const [i, place] of segment.entries()) if (place !== 'any' && value[at + i] !== place.character) return false;
  return true;
}
