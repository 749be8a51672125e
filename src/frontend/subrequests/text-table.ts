/** Lines of cells, all but the last of each line as wide as the widest of their column and some spaces. */
export function drawTable(rows: readonly (readonly string[])[], space: number): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, lengthOf(cell) + space);
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell + pad(cell, widths[i] ?? 0))).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

function pad(cell: string, width: number): string {
  return ' '.repeat(Math.max(0, width - lengthOf(cell)));
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
