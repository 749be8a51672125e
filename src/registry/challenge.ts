/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1): scheme in lower case, parameter names too. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameterForm = new RegExp(`[\\s,]*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s",]*))`, 'y');
const schemeForm = new RegExp(`[\\s,]*(${token})(?=\\s|,|$)`, 'y');
const longest = 16_384;

/** Reads all challenges; what does not fit the grammar ends the reading. */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const text = (Array.isArray(header) ? header.join(', ') : String(header ?? '')).slice(0, longest);
  const challenges: Challenge[] = [];
  let at = 0;
  let parameters: Map<string, string> | undefined;
  while (at < text.length) {
    parameterForm.lastIndex = at;
    schemeForm.lastIndex = at;
    const parameter = parameters ? parameterForm.exec(text) : null;
    if (parameter && parameters) {
      const value = parameter[2]?.replace(/\\(.)/g, '$1') ?? parameter[3] ?? '';
      const name = (parameter[1] ?? '').toLowerCase();
      // The first of two equal names counts: a proxy can only append.
      if (!parameters.has(name)) parameters.set(name, value);
      at = parameterForm.lastIndex;
      continue;
    }
    const scheme = schemeForm.exec(text);
    if (!scheme) break;
    parameters = new Map();
    challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters });
    at = schemeForm.lastIndex;
  }
  return challenges;
}
