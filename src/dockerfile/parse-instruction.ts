import { readJsonForm, readKeyValues, readQuotedWords, readWords } from './arguments.ts';
import { suggest } from './diagnostic.ts';
import { type FlagKinds, type FlagValues, readFlags } from './flags.ts';
import { healthcheckFlags, parseHealthcheck } from './healthcheck.ts';
import { parseHeredocToken } from './heredoc.ts';
import type {
  AddInstruction,
  ArgInstruction,
  CommandLine,
  CopyInstruction,
  Heredoc,
  Instruction,
  InstructionBase,
} from './instruction.ts';
import type { LogicalLine } from './logical-lines.ts';
import { ParseFailure } from './parse-failure.ts';

const copyFlags: FlagKinds = {
  from: 'text',
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  parents: 'boolean',
  exclude: 'list',
};
const addFlags: FlagKinds = {
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  checksum: 'text',
  'keep-git-dir': 'boolean',
  unpack: 'boolean',
  exclude: 'list',
};
const runFlags: FlagKinds = { mount: 'list', network: 'text', security: 'text', device: 'list' };

const flagsOf: Readonly<Record<string, FlagKinds>> = {
  from: { platform: 'text' },
  run: runFlags,
  copy: copyFlags,
  add: addFlags,
  healthcheck: healthcheckFlags,
};

interface Parts {
  readonly base: InstructionBase;
  readonly flags: FlagValues;
  /** What follows the flags. */
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  readonly escapeChar: string;
}

const parsers: Readonly<Record<Instruction['name'], (parts: Parts) => Instruction>> = {
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
  cmd: ({ base, rest }) => ({ ...base, name: 'cmd', command: commandLine(rest, []) }),
  entrypoint: ({ base, rest }) => ({ ...base, name: 'entrypoint', command: commandLine(rest, []) }),
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
  const match = /^(\S+)\s*([\s\S]*)$/.exec(line.text.trim());
  const word = match?.[1] ?? '';
  const name = instructionNames.find((each) => each === word.toLowerCase());
  if (!name) {
    const near = suggest(
      word.toUpperCase(),
      instructionNames.map((each) => each.toUpperCase()),
    );
    throw new ParseFailure(
      `unknown instruction: ${word.slice(0, 100)}`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }
  const body = match?.[2] ?? '';
  const { flags, rest } = flagsOf[name]
    ? readFlags(body, flagsOf[name], escapeChar)
    : readFlags(body, {}, name === 'cmd' || name === 'entrypoint' ? '' : escapeChar);
  const base: InstructionBase = { original: line.text.trim(), range: line.range, comments: line.comments };
  return parsers[name]({ base, flags, rest, heredocs: line.heredocs, escapeChar });
}

function some(rest: string, instruction: string): string {
  if (rest.trim() === '') throw new ParseFailure(`${instruction} requires at least one argument`);
  return rest;
}

function one(rest: string, instruction: string): string {
  if (rest.trim() === '') throw new ParseFailure(`${instruction} requires exactly one argument`);
  return rest.trim();
}

function parseFrom({ base, flags, rest }: Parts): Instruction {
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

function parseArg({ base, rest, escapeChar }: Parts): ArgInstruction {
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
  const line = comments.findLast((comment) => comment.startsWith(`${name} `));
  return line?.slice(name.length + 1).trim();
}

function commandLine(rest: string, heredocs: readonly Heredoc[]): CommandLine {
  const args = heredocs.length === 0 ? readJsonForm(rest) : undefined;
  return args ? { form: 'exec', args } : { form: 'shell', text: rest.trim(), heredocs };
}

function parseRun({ base, flags, rest, heredocs }: Parts): Instruction {
  if (rest.trim() === '' && flags.list('mount').length === 0)
    throw new ParseFailure('RUN requires at least one argument');
  const network = flags.text('network');
  const security = flags.text('security');
  if (network !== undefined && !['default', 'none', 'host'].includes(network))
    throw new ParseFailure(`invalid network mode ${JSON.stringify(network)}`, 'want default, none or host');
  if (security !== undefined && !['sandbox', 'insecure'].includes(security))
    throw new ParseFailure(`security ${JSON.stringify(security)} is not valid`, 'want sandbox or insecure');
  return {
    ...base,
    name: 'run',
    command: commandLine(rest, heredocs),
    mounts: flags.list('mount'),
    devices: flags.list('device'),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
  };
}

/** Sources and destination of COPY and ADD; heredocs are sources under their delimiter's name. */
function copyFields({ flags, rest, heredocs, escapeChar }: Parts, instruction: string) {
  const words = readJsonForm(rest) ?? readQuotedWords(rest, escapeChar);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    throw new ParseFailure(
      `${instruction} requires at least two arguments, but only ${words.length} ${words.length === 1 ? 'was' : 'were'} provided`,
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

function parseCopy(parts: Parts): CopyInstruction {
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

function parseAdd(parts: Parts): AddInstruction {
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

function parseVolume({ base, rest }: Parts): Instruction {
  const volumes = (readJsonForm(rest) ?? readWords(some(rest, 'VOLUME'))).map((volume) => volume.trim());
  if (volumes.length === 0) throw new ParseFailure('VOLUME requires at least one argument');
  if (volumes.includes('')) throw new ParseFailure('VOLUME specified can not be an empty string');
  return { ...base, name: 'volume', volumes };
}

function parseShell({ base, rest }: Parts): Instruction {
  const shell = readJsonForm(some(rest, 'SHELL'));
  if (!shell)
    throw new ParseFailure(
      'SHELL requires the arguments to be in JSON form',
      'write SHELL ["executable", "parameters"]',
    );
  if (shell.length === 0) throw new ParseFailure('SHELL requires at least one argument');
  return { ...base, name: 'shell', shell };
}

const notInOnbuild = ['onbuild', 'from', 'maintainer'];

function parseOnbuild({ base, rest }: Parts): Instruction {
  const word = /^\S+/.exec(some(rest, 'ONBUILD').trim())?.[0] ?? '';
  if (word.toLowerCase() === 'onbuild') throw new ParseFailure("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (notInOnbuild.includes(word.toLowerCase()))
    throw new ParseFailure(`${word.toUpperCase()} isn't allowed as an ONBUILD trigger`);
  if (!instructionNames.some((name) => name === word.toLowerCase()))
    throw new ParseFailure(`unknown instruction: ${word}`);
  return { ...base, name: 'onbuild', trigger: rest.trim() };
}
