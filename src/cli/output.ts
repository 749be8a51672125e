import { formatRows, type Row, type TableOptions } from './format/table.ts';
import { compileTemplate, unescapeFormat } from './format/template.ts';

export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
}

export function printRows(rows: readonly Row[], options: TableOptions): void {
  printLines(formatRows(rows, options));
}

/** Documents of `inspect`: as one JSON list, one document a line (`json`), or through a template each. */
export function printDocuments(documents: readonly object[], format: string | undefined): void {
  if (format === undefined || format === '') printLines([JSON.stringify(documents, undefined, 4)]);
  else if (format === 'json') printLines([JSON.stringify(documents)]);
  else printLines(documents.map(compileTemplate(unescapeFormat(format))));
}

/** One document, as `version` and `info` print it. */
export function printDocument(document: object, format: string): void {
  if (format === 'json') printLines([JSON.stringify(document)]);
  else printDocuments([document], format);
}
