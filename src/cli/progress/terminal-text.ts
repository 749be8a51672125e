// Whatever a step, a registry or a file name says may hold escape sequences that move the cursor, retitle the window or
// answer as if typed. Sequences go as a whole, so that their parameters do not stay behind as text.
const sequences =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]/g;
const controls = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const colorSequence = /^\x1b\[[0-9;:]*m$/;

/** One line of foreign text made safe for a terminal: no escape sequences, no control or direction characters; tabs as spaces. */
export function cleanText(text: string): string {
  return text
    .replace(sequences, '')
    .replace(controls, '')
    .replace(/[\t\n]/g, ' ');
}

/** The same, but tabs stay: for output that nothing has to be aligned with. */
export function cleanTextKeepingTabs(text: string): string {
  return text.replace(sequences, '').replace(controls, '');
}

/** The same, but colours stay and are ended at the end of the line; tabs stay. */
export function cleanTextKeepingColors(text: string): string {
  let colored = false;
  const kept = text.split(/(\x1b\[[0-9;:]*m)/).map((part) => {
    if (!colorSequence.test(part)) return cleanTextKeepingTabs(part);
    colored = true;
    return part;
  });
  return `${kept.join('')}${colored ? '\x1b[0m' : ''}`;
}

/** Several lines of foreign text, such as an error from a registry. */
export function cleanLines(text: string): string {
  return text.split(/\r?\n/).map(cleanText).join('\n');
}

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

function widthOf(character: string): number {
  if (character < '\u0300') return 1;
  return zeroWidth.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

/** Columns that a clean text takes in a terminal. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** A clean text cut to so many columns. */
export function cutToWidth(text: string, columns: number): string {
  if (text.length <= columns && /^[ -~]*$/.test(text)) return text;
  let width = 0;
  let cut = '';
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    cut += character;
  }
  return cut;
}
