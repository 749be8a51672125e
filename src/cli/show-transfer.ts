import { cleanText } from './progress/terminal-text.ts';

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
    const { id, status, progress, stream } = line;
    if (typeof stream === 'string') {
      output.write(`${cleanText(stream.replace(/\n$/, ''))}\n`);
      rows.clear();
    } else if (typeof status === 'string') {
      const text = cleanText(status);
      if (typeof id !== 'string' || id === '') {
        output.write(`${text}\n`);
        rows.clear();
      } else if (output.isTTY)
        drawRow(output, rows, id, `${text}${typeof progress === 'string' ? ` ${cleanText(progress)}` : ''}`);
      else if (states.get(id) !== text) output.write(`${cleanText(id)}: ${text}\n`);
      if (typeof id === 'string') states.set(id, text);
    }
  }
}

function drawRow(output: NodeJS.WriteStream, rows: Map<string, number>, id: string, text: string): void {
  const line = `${cleanText(id)}: ${text}`.slice(0, Math.max(20, output.columns ?? 80));
  const row = rows.get(id);
  if (row === undefined) {
    rows.set(id, rows.size);
    output.write(`${line}\n`);
    return;
  }
  const up = rows.size - row;
  output.write(`\x1b[${up}A\r${line}\x1b[K\x1b[${up}B\r`);
}
