import { drawSource } from '../../dockerfile/diagnostic.ts';
import type { ProgressWarning } from './events.ts';
import { cleanLines, cleanText } from './terminal-text.ts';

/** What is said about warnings after the build: one line each, or with `--debug` each with its lines of the Dockerfile. */
export function summarizeWarnings(warnings: readonly ProgressWarning[], detailed: boolean): string[] {
  if (warnings.length === 0) return [];
  const found = `${warnings.length} warning${warnings.length === 1 ? '' : 's'} found`;
  if (!detailed) return ['', ` ${found} (use --debug to expand):`, ...warnings.map((each) => ` - ${shortLine(each)}`)];
  return ['', ` ${found}:`, ...warnings.flatMap((each) => [` - ${shortLine(each)}`, ...detailLines(each), ''])];
}

function shortLine({ short, source }: ProgressWarning): string {
  const line = source?.ranges[0]?.startLine;
  const text = cleanText(short);
  return line === undefined || /\(line \d+\)$/.test(text) ? text : `${text} (line ${line})`;
}

function detailLines({ detail, url, source }: ProgressWarning): string[] {
  return [
    ...detail.map(cleanText),
    ...(url === '' ? [] : [`More info: ${cleanText(url)}`]),
    ...(source && source.ranges.length > 0
      ? cleanLines(drawSource(source.text, source.filename, source.ranges)).split('\n')
      : []),
  ];
}
