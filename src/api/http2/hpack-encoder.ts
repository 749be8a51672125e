import type { HeaderList } from './headers.ts';
import { staticTable } from './static-table.ts';

const indexOfName = new Map(staticTable.map(([name], i) => [name, i + 1] as const).toReversed());
const indexOfEntry = new Map(staticTable.map(([name, value], i) => [`${name}\0${value}`, i + 1] as const));

/** Writes a header block (RFC 7541) without state: only what has a number from the start is shortened. */
export function encodeHeaders(headers: HeaderList): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of headers) {
    const known = indexOfEntry.get(`${name}\0${value}`);
    if (known !== undefined) {
      parts.push(integer(known, 7, 0x80));
      continue;
    }
    const index = indexOfName.get(name) ?? 0;
    parts.push(integer(index, 4, 0));
    if (index === 0) parts.push(...text(name));
    parts.push(...text(value));
  }
  return Buffer.concat(parts);
}

function text(value: string): Buffer[] {
  const bytes = Buffer.from(value, 'latin1');
  return [integer(bytes.length, 7, 0), bytes];
}

/** RFC 7541 §5.1. */
function integer(value: number, prefix: number, flags: number): Buffer {
  const mask = 2 ** prefix - 1;
  if (value < mask) return Buffer.from([flags | value]);
  const bytes = [flags | mask];
  let rest = value - mask;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
