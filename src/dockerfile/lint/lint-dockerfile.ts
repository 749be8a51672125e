import type { Diagnostic } from '../diagnostic.ts';
import { createMatcher } from '../ignore-patterns.ts';
import type { Dockerfile, Instruction } from '../instruction.ts';
import type { ParsedDockerfile } from '../parse-dockerfile.ts';
import { parseTrigger } from '../parse-dockerfile.ts';
import { keywordOf } from '../parse-instruction.ts';
import { type CheckContext, checkAlone, checkInstruction, type StageMemory } from './check-instruction.ts';
import { type CheckOptions, readCheckOptions } from './check-options.ts';
import { checkFromCasing, checkFromVariables, checkInstructionCasing, checkStageNames } from './check-stages.ts';
import { invalidBaseImagePlatform, multipleInstructionsDisallowed, noEmptyContinuation } from './docker-rules.ts';
import { defaultPlatformArgs, type LintOptions } from './lint-options.ts';
import { checkRecommended } from './recommended.ts';
import { Reporter } from './reporter.ts';
import { globalScope, Scope } from './scope.ts';
import { StageGraph, type StageNode } from './stage-graph.ts';

/**
 * The warnings for a Dockerfile, in its order; those that need no more than single lines also when it has errors.
 * Throws invalid-argument when `# check=` or its build arg cannot be read.
 */
export function lintDockerfile(parsed: ParsedDockerfile, options: LintOptions = {}): readonly Diagnostic[] {
  const reporter = new Reporter(checkOptions(parsed, options));
  for (const { range, comments, emptyContinuation: line } of parsed.lines) {
    const at = { ...range, startLine: line ?? 0, endLine: line ?? 0 };
    if (line !== undefined) reporter.report(noEmptyContinuation, { range: at, comments });
  }
  for (const instruction of parsed.instructions) {
    if (instruction.name === 'from') checkFromCasing(instruction, reporter);
    checkAlone(instruction, reporter);
  }
  if (parsed.dockerfile) lintStages(parsed.dockerfile, options, reporter);
  return reporter.warnings();
}

/** What a build fails with when `# check=error=true` is set and there are warnings; undefined when it may go on. */
export function lintFailure(
  parsed: ParsedDockerfile,
  warnings: readonly Diagnostic[],
  options: LintOptions = {},
): string | undefined {
  const { error } = checkOptions(parsed, options);
  if (!error || warnings.length === 0) return undefined;
  return `lint violation found for rules: ${[...new Set(warnings.map(({ rule }) => rule))].join(', ')}`;
}

/** Of the file's own directive the first word counts. */
function checkOptions({ directives }: ParsedDockerfile, { check }: LintOptions): CheckOptions {
  return readCheckOptions(check ?? directives.check?.split(' ', 1)[0] ?? '');
}

function lintStages(
  { stages, globalArgs, escape: escapeChar }: Dockerfile,
  options: LintOptions,
  reporter: Reporter,
): void {
  const platformArgs = new Map([['TARGETSTAGE', 'default'], ...(options.platformArgs ?? defaultPlatformArgs)]);
  const globals = globalScope(globalArgs, platformArgs, options.buildArgs ?? new Map(), escapeChar);
  const defaults = globalScope(globalArgs, platformArgs, new Map(), escapeChar);
  checkStageNames(stages, reporter);
  checkInstructionCasing(stages, reporter);
  for (const { from } of stages) checkFromVariables(from, globals, defaults, reporter);
  const graph = new StageGraph(stages, globals);
  const needed = graph.needed(options.target);
  const linter = new StageLinter({ reporter, globals, ignored: ignoredPaths(options) }, options);
  for (const node of graph.nodes) if (needed.has(node)) linter.lint(node);
  checkRecommended(graph, reporter);
}

/** Patterns that leave nothing at all of the context. */
const everythingPatterns = ['*', '**', '**/*'];

function ignoredPaths({ ignorePatterns = [] }: LintOptions): CheckContext['ignored'] {
  if (ignorePatterns.length === 0 || ignorePatterns.some((pattern) => pattern.startsWith('!'))) return undefined;
  const everything = ignorePatterns.some((pattern) => everythingPatterns.includes(pattern));
  return { matcher: createMatcher(ignorePatterns), everything };
}

class StageLinter {
  readonly #context: CheckContext;
  readonly #options: LintOptions;
  readonly #memories = new Map<StageNode, StageMemory>();
  readonly #triggers = new Map<StageNode, string[]>();

  constructor(context: CheckContext, options: LintOptions) {
    this.#context = context;
    this.#options = options;
  }

  lint(node: StageNode): void {
    const memory = this.#begin(node);
    this.#memories.set(node, memory);
    this.#runTriggers(node, memory);
    const last = new Map<string, Instruction>();
    const triggers: string[] = [];
    for (const instruction of node.stage.instructions) {
      checkInstruction(instruction, memory, this.#context);
      if (instruction.name === 'onbuild') triggers.push(instruction.trigger);
      if (!['cmd', 'entrypoint', 'healthcheck'].includes(instruction.name)) continue;
      const before = last.get(instruction.name);
      if (before)
        this.#context.reporter.report(multipleInstructionsDisallowed, before, keywordOf(instruction.original));
      last.set(instruction.name, instruction);
    }
    this.#triggers.set(node, triggers);
  }

  #begin({ stage, base, baseName }: StageNode): StageMemory {
    const parent = base && this.#memories.get(base);
    if (parent) return { ...parent, scope: parent.scope.child() };
    const { escape: escapeChar } = this.#context.globals;
    if (baseName === 'scratch')
      return { scope: Scope.ofImage(new Map(), escapeChar), hasWorkdir: false, hasShell: false };
    const image = this.#options.baseImage?.(stage, baseName);
    if (image?.platform && image.platform.expected !== image.platform.actual) {
      const { expected, actual } = image.platform;
      this.#context.reporter.report(invalidBaseImagePlatform, stage.from, baseName, expected, actual);
    }
    const scope = Scope.ofImage(image?.environment, escapeChar);
    return { scope, hasWorkdir: false, hasShell: image?.hasShell === true };
  }

  /** ONBUILD of the stage below sets variables here; what is wrong with it was said there. */
  #runTriggers({ base }: StageNode, memory: StageMemory): void {
    for (const text of (base && this.#triggers.get(base)) ?? []) {
      const trigger = parseTrigger(text, this.#context.globals.escape);
      memory.scope.enter(trigger, this.#context.globals);
      if (trigger.name === 'workdir') memory.hasWorkdir = true;
      if (trigger.name === 'shell') memory.hasShell = true;
    }
  }
}
