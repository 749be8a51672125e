import { runTemplate } from './template.ts';

/** A row of a table: values by column, under docker's placeholder names. */
export type Row = Readonly<Record<string, string>>;

export interface TableOptions {
  /** Placeholder and heading of each column. */
  readonly columns: readonly (readonly [field: string, heading: string])[];
  readonly format?: string | undefined;
}

/** Prints rows as docker does: a table, `table TEMPLATE`, `json`, or a template a row. */
export function printRows(rows: readonly Row[], { columns, format }: TableOptions): void {
  if (format === undefined || format === 'table') {
    printTable([
      columns.map(([, heading]) => heading),
      ...rows.map((row) => columns.map(([field]) => row[field] ?? '')),
    ]);
  } else if (format === 'json') {
    for (const row of rows) console.log(JSON.stringify(row));
  } else if (format.startsWith('table ')) {
    const template = format.slice('table '.length);
    const headings = Object.fromEntries(
      Object.keys(rows[0] ?? Object.fromEntries(columns)).map((field) => [field, headingOf(field, columns)]),
    );
    printTable([headings, ...rows].map((row) => runTemplate(template, row).replaceAll('\\t', '\t').split('\t')));
  } else for (const row of rows) console.log(runTemplate(format, row).replaceAll('\\t', '\t'));
}

function headingOf(field: string, columns: TableOptions['columns']): string {
  return columns.find(([name]) => name === field)?.[1] ?? field.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase();
}

/** Columns three blanks apart, the last one as long as it is. */
function printTable(lines: readonly (readonly string[])[]): void {
  const widths: number[] = [];
  for (const line of lines) for (const [i, cell] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  for (const line of lines)
    console.log(line.map((cell, i) => (i === line.length - 1 ? cell : cell.padEnd((widths[i] ?? 0) + 3))).join(''));
}

/** Documents of `inspect`: as JSON, or through a template each. */
export function printDocuments(documents: readonly object[], format: string | undefined): void {
  if (format === undefined || format === '') console.log(JSON.stringify(documents, undefined, 4));
  else
    for (const document of documents)
      console.log(format === 'json' ? JSON.stringify(document) : runTemplate(format, document));
}

/** docker's sizes: decimal units, four significant digits at most. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
