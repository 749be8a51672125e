import { cleanPath, type PatternMatcher } from '../ignore-patterns.ts';
import type { ArgInstruction, FromInstruction, Instruction } from '../instruction.ts';
import { keywordOf } from '../parse-instruction.ts';
import { expandWords } from '../shell-word.ts';
import {
  copyIgnoredFile,
  exposeInvalidFormat,
  exposeProtoCasing,
  invalidDefinitionDescription,
  jsonArgsRecommended,
  legacyKeyValueFormat,
  maintainerDeprecated,
  secretsUsedInArgOrEnv,
  undefinedVar,
  workdirRelativePath,
} from './docker-rules.ts';
import type { Reporter } from './reporter.ts';
import type { GlobalScope, Scope } from './scope.ts';

/** What one stage's checks remember from instruction to instruction; a stage on another one begins with that one's. */
export interface StageMemory {
  readonly scope: Scope;
  hasWorkdir: boolean;
  hasShell: boolean;
}

export interface CheckContext {
  readonly reporter: Reporter;
  readonly globals: GlobalScope;
  /** Undefined without an ignore file, and with one that takes paths back in: then only the build can tell. */
  readonly ignored: { readonly matcher: PatternMatcher; readonly everything: boolean } | undefined;
}

/** Checks one instruction, and takes what it sets into the memory. */
export function checkInstruction(instruction: Instruction, memory: StageMemory, context: CheckContext): void {
  const { reporter } = context;
  const keyword = keywordOf(instruction.original);
  checkWords(instruction, memory.scope, reporter);
  switch (instruction.name) {
    case 'arg':
      checkArg(instruction, memory.scope, context);
      return;
    case 'env':
      for (const { key } of instruction.variables) checkSecret('ENV', key, instruction, reporter);
      if (instruction.variables.some((each) => each.legacy))
        reporter.report(legacyKeyValueFormat, instruction, keyword);
      break;
    case 'label':
      if (instruction.labels.some((each) => each.legacy)) reporter.report(legacyKeyValueFormat, instruction, keyword);
      break;
    case 'cmd':
    case 'entrypoint':
      if (instruction.command.form === 'shell' && !memory.hasShell)
        reporter.report(jsonArgsRecommended, instruction, keyword);
      break;
    case 'shell':
      memory.hasShell = true;
      break;
    case 'workdir':
      checkWorkdir(instruction.path, instruction, memory, reporter);
      break;
    case 'copy':
    case 'add':
      checkIgnored(instruction, memory.scope, context);
      break;
    case 'expose':
      for (const port of instruction.ports.toSorted()) checkPort(port, instruction, memory.scope, reporter);
      break;
  }
  memory.scope.enter(instruction, context.globals);
}

/** What can be said of an instruction alone, also when the file has errors elsewhere. */
export function checkAlone(instruction: Instruction, reporter: Reporter): void {
  if (instruction.name === 'maintainer') reporter.report(maintainerDeprecated, instruction);
  else if (instruction.name === 'from' && instruction.stageName !== undefined)
    checkDescription('FROM', [instruction.stageName], instruction, reporter);
  else if (instruction.name === 'arg') {
    const names = instruction.args.map(({ key }) => key);
    checkDescription('ARG', names, instruction, reporter);
  }
}

function checkDescription(
  keyword: 'ARG' | 'FROM',
  names: readonly string[],
  instruction: ArgInstruction | FromInstruction,
  reporter: Reporter,
): void {
  const comment = instruction.comments.at(-1);
  const [first = '', second] = names;
  if (comment === undefined || names.includes(comment.split(' ', 1)[0] ?? '')) return;
  reporter.report(invalidDefinitionDescription, instruction, keyword, second === undefined ? first : '<arg_key>');
}

/** One arg after the other: the default of each sees the ones before it. */
function checkArg(instruction: ArgInstruction, scope: Scope, { reporter, globals }: CheckContext): void {
  for (const arg of instruction.args) {
    checkSecret('ARG', arg.key, instruction, reporter);
    if (arg.value !== undefined && !globals.buildArgs.has(arg.key)) checkWord(arg.value, instruction, scope, reporter);
    scope.enterArg(arg, globals);
  }
}

const secretWords = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const harmlessWords = /(?:_|^)(?:public|file|version)(?:_|$)/i;

function checkSecret(keyword: 'ARG' | 'ENV', key: string, instruction: Instruction, reporter: Reporter): void {
  if (secretWords.test(key) && !harmlessWords.test(key))
    reporter.report(secretsUsedInArgOrEnv, instruction, keyword, key);
}

/** Variables in the words that the build expands. Commands are the shell's business. */
function checkWords(instruction: Instruction, scope: Scope, reporter: Reporter): void {
  for (const word of expandedWords(instruction)) checkWord(word, instruction, scope, reporter);
  if (instruction.name !== 'copy' && instruction.name !== 'add') return;
  for (const heredoc of instruction.heredocs) {
    if (heredoc.expand) checkWord(heredoc.content, instruction, scope, reporter, true);
  }
}

function checkWord(word: string, instruction: Instruction, scope: Scope, reporter: Reporter, isBody = false): void {
  if (!scope.complete || !word.includes('$')) return;
  const expanded = scope.expand(word, isBody ? { escape: '\\', skipQuotes: true } : {});
  for (const name of expanded?.unmatched ?? []) {
    if (!scope.declared.has(name))
      reporter.report(undefinedVar, instruction, name, reporter.nearest.find(name, scope.variables.keys()));
  }
}

function expandedWords(instruction: Instruction): readonly string[] {
  const given = (...words: readonly (string | undefined)[]) => words.filter((word) => word !== undefined);
  switch (instruction.name) {
    case 'env':
      return instruction.variables.flatMap(({ key, value }) => [key, value]);
    case 'label':
      return instruction.labels.flatMap(({ key, value }) => [key, value]);
    case 'copy':
    case 'add':
      return [
        ...instruction.sources,
        instruction.destination,
        ...given(instruction.chown, instruction.chmod, instruction.name === 'add' ? instruction.checksum : undefined),
        ...instruction.exclude,
      ];
    case 'run':
      return instruction.mounts;
    case 'workdir':
      return [instruction.path];
    case 'user':
      return [instruction.user];
    case 'volume':
      return instruction.volumes;
    case 'stopsignal':
      return [instruction.signal];
    default:
      return [];
  }
}

function checkWorkdir(path: string, instruction: Instruction, memory: StageMemory, reporter: Reporter): void {
  const expanded = memory.scope.expand(path)?.result ?? path;
  const isAbsolute = expanded.startsWith('/');
  // A path of variables that nobody knows may be anything.
  const isKnown = memory.scope.complete || !path.startsWith('$');
  if (!memory.hasWorkdir && !isAbsolute && isKnown) reporter.report(workdirRelativePath, instruction, expanded);
  memory.hasWorkdir = true;
}

function checkIgnored(
  instruction: Extract<Instruction, { readonly name: 'copy' | 'add' }>,
  scope: Scope,
  { reporter, ignored }: CheckContext,
): void {
  if (!ignored || (instruction.name === 'copy' && instruction.from !== undefined)) return;
  const verb = instruction.name === 'copy' ? 'Copy' : 'Add';
  for (const source of instruction.sources) {
    const expanded = scope.expand(source);
    if (!expanded || expanded.unmatched.size > 0 || isRemote(expanded.result)) continue;
    const path = cleanPath(expanded.result);
    const isRoot = path === '.' || path === '/';
    if (isRoot ? ignored.everything : ignored.matcher.matches(path))
      reporter.report(copyIgnoredFile, instruction, verb, path);
  }
}

/** Something that ADD fetches: a URL, or a repository in scp's form. */
export function isRemote(source: string): boolean {
  return /^[a-z][a-z0-9+.-]{0,20}:\/\//i.test(source) || /^[\w.-]{1,100}@[\w.-]{1,255}:/.test(source);
}

function checkPort(text: string, instruction: Instruction, scope: Scope, reporter: Reporter): void {
  for (const port of portWords(text, scope)) {
    const [address = '', protocol = ''] = port.split('/');
    if (protocol !== protocol.toLowerCase()) reporter.report(exposeProtoCasing, instruction, port);
    if (address.includes(':')) reporter.report(exposeInvalidFormat, instruction, port);
  }
}

function portWords(text: string, scope: Scope): readonly string[] {
  try {
    return expandWords(text, scope.variables);
  } catch {
    return [text];
  }
}
