import { readJsonForm, readKeyValues, readQuotedWords, readWords } from './arguments.ts';
import { suggest } from './diagnostic.ts';
import { type FlagKinds, readFlags, splitFlags } from './flags.ts';
import { healthcheckFlags, parseHealthcheck } from './healthcheck.ts';
import type {
  ArgInstruction,
  FromInstruction,
  Instruction,
  InstructionBase,
  OnbuildInstruction,
  VolumeInstruction,
} from './instruction.ts';
import { type InstructionParts, one, some } from './instruction-parts.ts';
import type { LogicalLine } from './logical-lines.ts';
import { parseRun, parseShell, readCommandLine, runFlags } from './parse-command.ts';
import { addFlags, copyFlags, parseAdd, parseCopy } from './parse-copy.ts';
import { ParseFailure } from './parse-failure.ts';

const flagsOf: ReadonlyMap<Instruction['name'], FlagKinds> = new Map([
  ['from', { platform: 'text' }],
  ['run', runFlags],
  ['copy', copyFlags],
  ['add', addFlags],
  ['healthcheck', healthcheckFlags],
]);

const parsers: Readonly<Record<Instruction['name'], (parts: InstructionParts) => Instruction>> = {
  from: parseFrom,
  arg: parseArg,
  env: ({ base, rest, escapeChar }) => ({
    ...base,
    name: 'env',
    variables: readKeyValues(some(rest, 'ENV'), 'ENV', escapeChar),
  }),
  label: ({ base, rest, escapeChar }) => ({
    ...base,
    name: 'label',
    labels: readKeyValues(some(rest, 'LABEL'), 'LABEL', escapeChar),
  }),
  maintainer: ({ base, rest }) => ({ ...base, name: 'maintainer', maintainer: one(rest, 'MAINTAINER') }),
  run: parseRun,
  cmd: ({ base, rest }) => ({ ...base, name: 'cmd', command: readCommandLine(rest) }),
  entrypoint: ({ base, rest }) => ({ ...base, name: 'entrypoint', command: readCommandLine(rest) }),
  copy: parseCopy,
  add: parseAdd,
  workdir: ({ base, rest }) => ({ ...base, name: 'workdir', path: one(rest, 'WORKDIR') }),
  user: ({ base, rest }) => ({ ...base, name: 'user', user: one(rest, 'USER') }),
  volume: parseVolume,
  expose: ({ base, rest }) => ({ ...base, name: 'expose', ports: readWords(some(rest, 'EXPOSE')) }),
  healthcheck: ({ base, rest, flags }) => parseHealthcheck(rest, flags, base),
  shell: parseShell,
  stopsignal: ({ base, rest }) => ({ ...base, name: 'stopsignal', signal: one(rest, 'STOPSIGNAL') }),
  onbuild: parseOnbuild,
};

export const instructionNames = Object.keys(parsers) as Instruction['name'][];

/** One instruction from its joined line. Throws ParseFailure. */
export function parseInstruction(line: LogicalLine, escapeChar: string): Instruction {
  const word = keywordOf(line.text);
  const name = instructionNames.find((each) => each === word.toLowerCase());
  if (!name) throw unknownInstruction(word);
  const { words, rest } = splitFlags(line.text.slice(word.length), escapeChar);
  const flags = readFlags(words, flagsOf.get(name) ?? {});
  const base: InstructionBase = { original: line.text, range: line.range, comments: line.comments };
  return parsers[name]({ base, flags, rest: rest.trim(), heredocs: line.heredocs, escapeChar });
}

/** The instruction's name as it was written. */
export function keywordOf(original: string): string {
  return /^\S+/.exec(original)?.[0] ?? '';
}

function unknownInstruction(word: string): ParseFailure {
  const names = instructionNames.map((each) => each.toUpperCase());
  const near = suggest(word.toUpperCase(), names);
  return new ParseFailure(
    `unknown instruction: ${word.slice(0, 100)}`,
    near === undefined ? undefined : `did you mean ${near}?`,
  );
}

function parseFrom({ base, flags, rest }: InstructionParts): FromInstruction {
  const words = readWords(rest);
  const [image = '', as, stage] = words;
  if (words.length !== 1 && (words.length !== 3 || as?.toLowerCase() !== 'as')) {
    throw new ParseFailure('FROM requires either one or three arguments', 'write FROM image, or FROM image AS stage');
  }
  const stageName = stage?.toLowerCase();
  if (stageName !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(stageName)) {
    throw new ParseFailure(
      `invalid name for build stage: ${JSON.stringify(stage)}, name can't start with a number or contain symbols`,
    );
  }
  const platform = flags.text('platform');
  return {
    ...base,
    name: 'from',
    image,
    ...(platform === undefined ? {} : { platform }),
    ...(stageName === undefined ? {} : { stageName }),
  };
}

function parseArg({ base, rest, escapeChar }: InstructionParts): ArgInstruction {
  const words = readQuotedWords(some(rest, 'ARG'), escapeChar);
  const args = words.map((word) => {
    const equals = word.indexOf('=');
    const key = equals < 0 ? word : word.slice(0, equals);
    if (key === '') throw new ParseFailure('ARG names can not be blank');
    const description = descriptionOf(base.comments, key);
    return {
      key,
      ...(equals < 0 ? {} : { value: word.slice(equals + 1) }),
      ...(description === undefined ? {} : { description }),
    };
  });
  return { ...base, name: 'arg', args };
}

/** A comment `# name text` directly above describes what it names. */
export function descriptionOf(comments: readonly string[], name: string): string | undefined {
  const line = comments.find((comment) => comment.startsWith(`${name} `));
  return line?.slice(name.length + 1).trim();
}

function parseVolume({ base, rest }: InstructionParts): VolumeInstruction {
  const volumes = (readJsonForm(rest) ?? readWords(some(rest, 'VOLUME'))).map((volume) => volume.trim());
  if (volumes.length === 0) throw new ParseFailure('VOLUME requires at least one argument');
  if (volumes.includes('')) throw new ParseFailure('VOLUME specified can not be an empty string');
  return { ...base, name: 'volume', volumes };
}

const notInOnbuild = ['from', 'maintainer'];

/** The trigger is only kept, but a broken one is said now rather than in somebody's child build. */
function parseOnbuild({ base, rest, heredocs, escapeChar }: InstructionParts): OnbuildInstruction {
  const name = keywordOf(some(rest, 'ONBUILD')).toLowerCase();
  if (name === 'onbuild') throw new ParseFailure("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (notInOnbuild.includes(name)) throw new ParseFailure(`${name.toUpperCase()} isn't allowed as an ONBUILD trigger`);
  parseInstruction({ text: rest, range: base.range, heredocs, comments: [] }, escapeChar);
  const bodies = heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`);
  return { ...base, name: 'onbuild', trigger: `${rest}${bodies.join('')}` };
}
