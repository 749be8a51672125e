import type { Diagnostic } from '../diagnostic.ts';
import type { SourceRange } from '../instruction.ts';
import { type CheckOptions, isWanted, withComments } from './check-options.ts';
import { NearestWord } from './nearest.ts';
import type { LintRule } from './rule.ts';

/** What a warning points at; its comments may turn the warning off. */
export interface Place {
  readonly range: SourceRange;
  readonly comments: readonly string[];
}

/** Collects warnings, each once, except those that nobody wants to hear. */
export class Reporter {
  readonly nearest = new NearestWord();
  readonly #options: CheckOptions;
  readonly #found = new Map<string, Diagnostic>();

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  report<Found extends readonly unknown[]>(rule: LintRule<Found>, { range, comments }: Place, ...found: Found): void {
    if (!isWanted(withComments(this.#options, comments), rule)) return;
    const { name, description, url, hint } = rule;
    const message = rule.format(...found);
    const key = `${name}\0${range.startLine}\0${message}`;
    if (!this.#found.has(key))
      this.#found.set(key, { severity: 'warning', rule: name, message, range, description, url, hint });
  }

  /** In the order of the file. */
  warnings(): readonly Diagnostic[] {
    return [...this.#found.values()].sort((a, b) => a.range.startLine - b.range.startLine);
  }
}
