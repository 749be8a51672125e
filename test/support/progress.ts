/** How each step of a plain progress ended, by its number and name: `[2/4] RUN` → CACHED, DONE or ERROR. */
export function stepEnds(progress: string): Record<string, string> {
  const names = new Map(
    [...progress.matchAll(/^#(\d+) (\[(?:\S+ )?\d+\/\d+\] \w+)/gm)].map((match) => [match[1], match[2] ?? '']),
  );
  const ends = [...progress.matchAll(/^#(\d+) (CACHED|DONE|ERROR)/gm)];
  return Object.fromEntries(ends.flatMap(([, number, end]) => (names.has(number) ? [[names.get(number), end]] : [])));
}
