import { openQuote, readJsonForm, readWords } from './arguments.ts';
import type { FlagKinds } from './flags.ts';
import { parseHeredocToken } from './heredoc.ts';
import type { AddInstruction, CopyInstruction } from './instruction.ts';
import type { InstructionParts } from './instruction-parts.ts';
import { ParseFailure } from './parse-failure.ts';

export const copyFlags: FlagKinds = {
  from: 'text',
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  parents: 'boolean',
  exclude: 'list',
};

export const addFlags: FlagKinds = {
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  checksum: 'text',
  'keep-git-dir': 'boolean',
  unpack: 'boolean',
  exclude: 'list',
};

export function parseCopy(parts: InstructionParts): CopyInstruction {
  const from = parts.flags.text('from');
  const parents = parts.flags.boolean('parents');
  return {
    ...parts.base,
    name: 'copy',
    ...copyFields(parts, 'COPY'),
    ...(from === undefined ? {} : { from }),
    ...(parents === undefined ? {} : { parents }),
  };
}

export function parseAdd(parts: InstructionParts): AddInstruction {
  const checksum = parts.flags.text('checksum');
  const keepGitDir = parts.flags.boolean('keep-git-dir');
  const unpack = parts.flags.boolean('unpack');
  return {
    ...parts.base,
    name: 'add',
    ...copyFields(parts, 'ADD'),
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}

/** Sources and destination; heredocs are sources under their delimiter's name. */
function copyFields({ flags, rest, heredocs, escapeChar }: InstructionParts, instruction: string) {
  const words = copyWords(rest, instruction, escapeChar);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    throw new ParseFailure(
      `${instruction} requires at least two arguments, but only one was provided. Destination could not be determined`,
      `write ${instruction} source… destination`,
    );
  }
  const names = new Set(heredocs.map((heredoc) => heredoc.name));
  const isHeredoc = (word: string) => names.has(parseHeredocToken(word)?.name ?? '');
  if (isHeredoc(destination)) throw new ParseFailure(`${instruction} cannot accept a heredoc as a destination`);
  const chown = flags.text('chown');
  const chmod = flags.text('chmod');
  const link = flags.boolean('link');
  return {
    sources: words.slice(0, -1).filter((word) => !isHeredoc(word)),
    heredocs,
    destination,
    exclude: flags.list('exclude'),
    ...(chown === undefined ? {} : { chown }),
    ...(chmod === undefined ? {} : { chmod }),
    ...(link === undefined ? {} : { link }),
  };
}

/** Blanks part the words even inside quotes: only the JSON form can name a path with blanks. */
function copyWords(rest: string, instruction: string, escapeChar: string): readonly string[] {
  const json = readJsonForm(rest);
  if (json) return json;
  const words = readWords(rest);
  const cut = words.find((word) => openQuote(word, escapeChar) !== undefined);
  if (cut === undefined) return words;
  const kind = openQuote(cut, escapeChar) === "'" ? 'single' : 'double';
  throw new ParseFailure(
    `failed to process ${JSON.stringify(cut)}: unexpected end of statement while looking for matching ${kind}-quote`,
    `paths with blanks need the JSON form: ${instruction} ["a b", "/c"]`,
  );
}
