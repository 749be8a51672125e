const furthest = 2;
/** Comparisons for one file: who misspells thousands of names is told of the first ones. */
const comparisonLimit = 100_000;

/** Finds what a misspelled word was meant to be. */
export class NearestWord {
  #comparisons = 0;

  /** The word within two edits of the given one, case counting; undefined when there is none, or when it is one of them. */
  find(word: string, among: Iterable<string>): string | undefined {
    let best: string | undefined;
    let bestDistance = furthest + 1;
    if (word.length > 200) return undefined;
    for (const candidate of among) {
      if (candidate === word) return undefined;
      if (++this.#comparisons > comparisonLimit) break;
      if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
      const distance = editDistance(word, candidate);
      if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    }
    return best;
  }
}

/** Levenshtein's, looked at only near the diagonal; anything further counts as just too far. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = new Array<number>(b.length + 1).fill(furthest + 1);
    if (i <= furthest) next[0] = i;
    const last = Math.min(b.length, i + furthest);
    for (let j = Math.max(1, i - furthest); j <= last; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
