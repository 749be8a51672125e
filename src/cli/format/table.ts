import { displayWidth } from '../progress/terminal-text.ts';
import { compileTemplate, type Template, unescapeFormat } from './template.ts';

/** A row of a table: values under docker's placeholder names; functions are placeholders that take an argument. */
export type Row = Readonly<Record<string, string | ((key: unknown) => string)>>;

/** Placeholder and heading of each column that is shown unless a template says otherwise. */
export type Columns = readonly (readonly [field: string, heading: string])[];

export interface TableOptions {
  readonly columns: Columns;
  readonly format?: string | undefined;
  /** Headings of placeholders that are not among the columns. */
  readonly headings?: Readonly<Record<string, string>> | undefined;
}

/** Rows as docker prints them: a table, `table TEMPLATE`, `json` (one document a row), or a template for each row. */
export function formatRows(rows: readonly Row[], options: TableOptions): string[] {
  const { columns } = options;
  const format = unescapeFormat(options.format ?? 'table').trim();
  if (format === 'table' || format === '') {
    const cells = rows.map((row) => columns.map(([field]) => textOf(row[field])));
    return alignColumns([columns.map(([, heading]) => heading), ...cells]);
  }
  if (format === 'json' || format === '{{json .}}') return rows.map((row) => JSON.stringify(row));
  if (!/^table\s/.test(format)) return rows.map(compileTemplate(format));
  const template = compileTemplate(format.replace(/^table\s+/, ''));
  return alignColumns([headingLine(rows[0], template, options), ...rows.map(template)].map((line) => line.split('\t')));
}

function textOf(value: Row[string] | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The template over the headings; an argument, as in `.Label "app"`, is its own heading. */
function headingLine(row: Row | undefined, template: Template, { columns, headings = {} }: TableOptions): string {
  const heading = (field: string) =>
    columns.find(([name]) => name === field)?.[1] ?? headings[field] ?? spacedUpper(field);
  const fields = row ? Object.keys(row) : columns.map(([field]) => field);
  const named = fields.map((field) => {
    const isMethod = typeof row?.[field] === 'function';
    return [field, isMethod ? (key: unknown) => String(key).toUpperCase() : heading(field)] as const;
  });
  return template(Object.fromEntries(named));
}

/** `RunningFor` → `RUNNING FOR`. */
function spacedUpper(field: string): string {
  return field.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase();
}

/** Columns three blanks apart, as wide as their widest cell; the last one as it is. */
export function alignColumns(lines: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const line of lines)
    for (const [i, cell] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell));
  return lines.map((line) => {
    const padded = line.map((cell, i) => {
      const isLast = i === line.length - 1;
      return isLast ? cell : cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(cell)) + 3);
    });
    return padded.join('');
  });
}
