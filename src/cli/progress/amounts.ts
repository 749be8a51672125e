const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes with two decimals as BuildKit shows them, such as `1.23MB`; decimal units. */
export function transferSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)}${units[unit]}`;
}

/** `1.23MB / 3.40MB`, `1.23MB`, or empty when the line does not count bytes. */
export function transferAmount(current: number, total: number): string {
  if (total > 0) return `${transferSize(current)} / ${transferSize(total)}`;
  return current > 0 ? transferSize(current) : '';
}
