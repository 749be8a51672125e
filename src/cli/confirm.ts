import { createInterface } from 'node:readline';

/** Asks on the terminal; anything but yes is no. */
export async function confirm(question: string): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stdout, terminal: false });
  process.stdout.write(`${question} [y/N] `);
  for await (const line of reader) {
    reader.close();
    return /^y(es)?$/i.test(line.trim());
  }
  return false;
}
