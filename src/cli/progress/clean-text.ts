const sequences =
  /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]?/g;
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
const colours = /(\x1b\[[0-9;]*m)/;

/** Text from a step, a file name or a registry, for a terminal: without any control sequence, so that nothing of it moves the cursor or answers for the user. */
export function cleanText(text: string): string {
  return text.replace(sequences, '').replace(controls, '');
}

/** The same, with colours left in. */
export function cleanTextKeepingColors(text: string): string {
  return text
    .split(colours)
    .map((part, i) => (i % 2 === 1 ? part : cleanText(part)))
    .join('');
}
