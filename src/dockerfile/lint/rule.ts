/** A lint rule as data: what it is called, and how it says what it found. */
export interface LintRule<Found extends readonly unknown[] = readonly never[]> {
  readonly name: string;
  readonly description: string;
  readonly url?: string | undefined;
  /** The way out. */
  readonly hint?: string | undefined;
  /** Off unless asked for by `experimental=`. */
  readonly experimental?: boolean;
  readonly format: (...found: Found) => string;
}

/** What is known of a rule without its format. */
export type RuleHead = Omit<LintRule, 'format'>;

/** A rule that docker has too: clients know it by this name and page. */
export function dockerRule<Found extends readonly unknown[]>(
  name: string,
  description: string,
  format: (...found: Found) => string,
  experimental = false,
): LintRule<Found> {
  const page = name.replace(/([a-z])([A-Z])/g, '$1-$2').replace(/^([A-Z]{4})([A-Z])/, '$1-$2');
  return {
    name,
    description,
    url: `https://docs.docker.com/go/dockerfile/rule/${page.toLowerCase()}/`,
    experimental,
    format,
  };
}

/** A text in double quotes, as Go's %q prints it. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

export function didYouMean(near: string | undefined): string {
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}
