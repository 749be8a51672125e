import { styleText } from 'node:util';

/** A colour around a text, or the text alone. */
export type Paint = (text: string) => string;

export interface ProgressColors {
  readonly run: Paint;
  readonly cancel: Paint;
  readonly error: Paint;
  readonly warning: Paint;
}

const none: Paint = (text) => text;
const named =
  (color: Parameters<typeof styleText>[0]): Paint =>
  (text) =>
    styleText(color, text, { validateStream: false });
const names: Readonly<Record<string, Paint>> = {
  black: named('black'),
  blue: named('blue'),
  cyan: named('cyan'),
  green: named('green'),
  magenta: named('magenta'),
  red: named('red'),
  white: named('white'),
  yellow: named('yellow'),
};

/**
 * `BUILDKIT_COLORS` as BuildKit reads it: `run=green:cancel=255,165,0:error=red:warning=yellow`. What it does not name keeps
 * its default, what cannot be read is passed over. `NO_COLOR`, set to anything, turns all colours off.
 */
export function progressColors(environment: NodeJS.ProcessEnv): ProgressColors {
  if (environment.NO_COLOR) return { run: none, cancel: none, error: none, warning: none };
  const colors = { run: named('blue'), cancel: named('yellow'), error: named('red'), warning: named('yellow') };
  for (const part of (environment.BUILDKIT_COLORS ?? '').split(':')) {
    const [key = '', value = ''] = part.split('=');
    const paint = readColor(value.trim().toLowerCase());
    if (paint && Object.hasOwn(colors, key)) colors[key as keyof typeof colors] = paint;
  }
  return colors;
}

function readColor(text: string): Paint | undefined {
  if (Object.hasOwn(names, text)) return names[text];
  const rgb = /^(\d{1,3}),(\d{1,3}),(\d{1,3})$/.exec(text);
  if (!rgb || rgb.slice(1).some((part) => Number(part) > 255)) return undefined;
  const start = `\x1b[38;2;${rgb.slice(1).join(';')}m`;
  return (shown) => `${start}${shown}\x1b[39m`;
}
