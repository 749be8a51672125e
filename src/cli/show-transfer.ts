import { humanSize } from './format/human.ts';
import { cleanText, cutToWidth } from './progress/terminal-text.ts';

export interface TransferOptions {
  readonly quiet: boolean;
  readonly output?: NodeJS.WriteStream | undefined;
}

/**
 * Shows the progress lines of pull, push, load and import. On a terminal each id has a line of its own that is drawn over;
 * elsewhere a line is printed when its state changes.
 */
export async function showTransfer(
  lines: AsyncIterable<Record<string, unknown>>,
  options: TransferOptions,
): Promise<void> {
  const output = options.output ?? process.stdout;
  const rows = new Map<string, number>();
  const states = new Map<string, string>();
  for await (const line of lines) {
    if (options.quiet) continue;
    const { id, status, progressDetail, stream } = line;
    if (typeof stream === 'string') {
      output.write(`${cleanText(stream.replace(/\n$/, ''))}\n`);
      rows.clear();
    } else if (typeof status === 'string') {
      const text = cleanText(status);
      if (typeof id !== 'string' || id === '') {
        output.write(`${text}\n`);
        rows.clear();
      } else if (output.isTTY) drawRow(output, rows, id, `${text}${amountOf(progressDetail, output.columns ?? 80)}`);
      else if (states.get(id) !== text) output.write(`${cleanText(id)}: ${text}\n`);
      if (typeof id === 'string') states.set(id, text);
    }
  }
}

function drawRow(output: NodeJS.WriteStream, rows: Map<string, number>, id: string, text: string): void {
  const line = cutToWidth(`${cleanText(id)}: ${text}`, Math.max(20, output.columns ?? 80));
  const row = rows.get(id);
  if (row === undefined) {
    rows.set(id, rows.size);
    output.write(`${line}\n`);
    return;
  }
  const up = rows.size - row;
  output.write(`\x1b[${up}A\r${line}\x1b[K\x1b[${up}B\r`);
}

const barWidth = 50;

/** How much of it has gone by, with a bar where there is room for one, as docker draws it. */
export function amountOf(detail: unknown, columns: number): string {
  const { current, total } = (detail ?? {}) as { current?: unknown; total?: unknown };
  if (typeof current !== 'number' || current <= 0) return '';
  if (typeof total !== 'number' || total <= 0) return ` ${humanSize(current).padStart(8)}`;
  const filled = Math.floor((Math.min(current, total) / total) * barWidth);
  const bar = `[${`${'='.repeat(filled)}>`.slice(0, barWidth).padEnd(barWidth)}] `;
  return ` ${columns > 110 ? bar : ''}${humanSize(Math.min(current, total)).padStart(8)}/${humanSize(total)}`;
}
