/**
 * `key=value,key=value` as buildx writes it (RFC 4180: a field in double quotes may hold commas). A key without a value
 * gets `bare`. Keys are not case-sensitive.
 */
export function readFields(text: string, bare = ''): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of splitFields(text)) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).trim();
    if (key !== '') fields.set(key.toLowerCase(), equals < 0 ? bare : field.slice(equals + 1));
  }
  return fields;
}

/** Fields between commas, quotes taken off. */
export function splitFields(text: string): string[] {
  return [...text.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
    .map(([, field = '']) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field))
    .filter((field) => field !== '');
}
