/** The physical lines of one instruction, without line ends, and what the warning said. Answers the lines as they should be; undefined where only a person can tell. */
type Fix = (lines: readonly string[], message: string) => readonly string[] | undefined;

/** Changes the first line, which has the keyword. */
const onFirstLine =
  (change: (line: string, message: string) => string | undefined): Fix =>
  (lines, message) => {
    const [first = '', ...rest] = lines;
    const changed = change(first, message);
    return changed === undefined || changed === first ? undefined : [changed, ...rest];
  };

/** Only instructions of a single line: what is joined from several is laid out by a person. */
const onSingleLine =
  (change: (line: string, message: string) => string | undefined): Fix =>
  (lines, message) =>
    lines.length === 1 ? onFirstLine(change)(lines, message) : undefined;

/** Words that no shell and no Dockerfile reads anything into. */
const plainWord = /^[\w./:@%+,=-]+$/;
/** What only a shell can run, and assignments in front of a command. */
const shellOnly =
  /^(?:[.:]|alias|bg|cd|command|eval|exec|exit|export|fg|jobs|read|set|shift|source|trap|ulimit|umask|unset|wait|if|for|while|until|case|\w+=.*)$/;

function quoteValue(value: string): string | undefined {
  if (plainWord.test(value)) return value;
  return /["\\`$\n]/.test(value) ? undefined : `"${value}"`;
}

function execForm(line: string): string | undefined {
  const [, keyword = '', command = ''] = /^(\s*\S+\s+)(.*\S)\s*$/.exec(line) ?? [];
  const words = command.split(/\s+/);
  const [program = ''] = words;
  if (program === '' || shellOnly.test(program) || !words.every((word) => plainWord.test(word))) return undefined;
  return `${keyword}[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}

function keyEqualsValue(line: string): string | undefined {
  const [, keyword = '', key = '', value = ''] = /^(\s*\S+\s+)(\S+)\s+(.*\S)\s*$/.exec(line) ?? [];
  const quoted = quoteValue(value);
  return quoted === undefined || !/^[\w.-]+$/.test(key) ? undefined : `${keyword}${key}=${quoted}`;
}

function authorLabel(line: string): string | undefined {
  const [, indent = '', keyword = '', author = ''] = /^(\s*)(\S+)\s+(.*\S)\s*$/.exec(line) ?? [];
  const quoted = quoteValue(author);
  const label = keyword === keyword.toLowerCase() ? 'label' : 'LABEL';
  return quoted === undefined ? undefined : `${indent}${label} org.opencontainers.image.authors=${quoted}`;
}

/** The fixes that change nothing but what the rule is about, by the rule's name. */
export const fixes: ReadonlyMap<string, Fix> = new Map<string, Fix>([
  [
    'StageNameCasing',
    onSingleLine((line) => line.replace(/(\S+)(\s*)$/, (_, name: string, end: string) => name.toLowerCase() + end)),
  ],
  [
    'FromAsCasing',
    onSingleLine((line) => {
      const isLower = /^\s*from\s/.test(line);
      return line.replace(
        /(\s)(as)(\s+\S+\s*)$/i,
        (_, before: string, as: string, end: string) => before + (isLower ? as.toLowerCase() : as.toUpperCase()) + end,
      );
    }),
  ],
  [
    'ConsistentInstructionCasing',
    onFirstLine((line, message) =>
      line.replace(
        /^(\s*)(\S+)/,
        (_, indent: string, word: string) =>
          indent + (message.endsWith('(lowercase)') ? word.toLowerCase() : word.toUpperCase()),
      ),
    ),
  ],
  ['MaintainerDeprecated', onSingleLine(authorLabel)],
  ['LegacyKeyValueFormat', onSingleLine(keyEqualsValue)],
  ['JSONArgsRecommended', onSingleLine(execForm)],
  [
    'ExposeProtoCasing',
    (lines) => lines.map((line) => line.replace(/\/(?:tcp|udp|sctp)\b/gi, (protocol) => protocol.toLowerCase())),
  ],
  [
    'RedundantTargetPlatform',
    onFirstLine((line) => line.replace(/--platform=\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})\s+/, '')),
  ],
  ['NoEmptyContinuation', (lines) => lines.filter((line, i) => i === 0 || line.trim() !== '')],
]);
