/** A value as Go's `%v` shows it: `[a b]`, `map[k:v]`, `<nil>`. */
export function showValue(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(showValue).join(' ')}]`;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object')
    return `map[${entriesOf(value)
      .map(([key, each]) => `${key}:${showValue(each)}`)
      .join(' ')}]`;
  return String(value);
}

/** What `if`, `with`, `and` and `or` take for true. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A map's entries in the order in which Go walks it: sorted by key. */
export function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A field of an object: its exact name first, then regardless of case, as `.ID` finds `Id`. */
export function fieldOf(value: unknown, name: string): { readonly found: boolean; readonly value: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { found: false, value: undefined };
  if (Object.hasOwn(value, name)) return { found: true, value: Reflect.get(value, name) };
  const lower = name.toLowerCase();
  const near = Object.keys(value).find((key) => key.toLowerCase() === lower);
  return near === undefined ? { found: false, value: undefined } : { found: true, value: Reflect.get(value, near) };
}
