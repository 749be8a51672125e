/**
 * Lists of any text in gRPC metadata, as BuildKit's file sync sends its patterns: where one value is not printable ASCII all are
 * query-escaped and `<key>-encoded: 1` says so (moby/buildkit, session/filesync).
 */
export function encodeHeaderValues(lists: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const [key, values] of Object.entries(lists)) {
    if (values.length === 0) continue;
    const plain = values.every((value) => /^[\x20-\x7e]*$/.test(value) && value.trim() === value);
    headers[key] = plain ? [...values] : values.map(queryEscape);
    if (!plain) headers[`${key}-encoded`] = ['1'];
  }
  return headers;
}

/** `values` gives all values of one header. */
export function decodeHeaderValues(values: (name: string) => readonly string[], key: string): string[] {
  const list = values(key);
  return values(`${key}-encoded`)[0] === '1' ? list.map(queryUnescape) : [...list];
}

/** Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function queryUnescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
