import type { Diagnostic } from './diagnostic.ts';
import { type Directives, readDirectives } from './directives.ts';
import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, SourceRange, Stage } from './instruction.ts';
import { joinLines, type LogicalLine } from './logical-lines.ts';
import { ParseFailure } from './parse-failure.ts';
import { parseInstruction } from './parse-instruction.ts';

export interface ParsedDockerfile {
  /** Absent when there are errors. */
  readonly dockerfile?: Dockerfile;
  /** All errors, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  readonly directives: Directives;
  readonly lines: readonly LogicalLine[];
  /** Those that could be read, also when others could not. */
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile may be large, but not as large as to stop the daemon. Bytes. */
const sizeLimit = 16 * 1024 * 1024;
/** Past this many there is nothing more to learn. */
const errorLimit = 50;

/** Reads a whole Dockerfile (reference.md). Never throws for what the text says: errors come as diagnostics, all at once. */
export function parseDockerfile(source: string | Uint8Array): ParsedDockerfile {
  if (source.length > sizeLimit) return failed(`the Dockerfile is larger than ${sizeLimit} bytes`);
  const decoded = typeof source === 'string' ? source : Buffer.from(source).toString('utf8');
  const text = decoded.startsWith('\uFEFF') ? decoded.slice(1) : decoded;
  if (text.includes('\0'))
    return failed('the Dockerfile contains a NUL byte: it is not a text file', 'save it as UTF-8');
  const physical = text.split('\n');
  const { directives, count, diagnostics: directiveErrors } = readDirectives(physical);
  const { lines, diagnostics: lineErrors } = joinLines(physical, directives.escape, count);
  if (lines.length === 0 && directiveErrors.length === 0) return failed('file with no instructions');
  const builder = new DockerfileBuilder([...directiveErrors, ...lineErrors]);
  for (const line of lines) {
    if (builder.diagnostics.length >= errorLimit) break;
    builder.read(line, directives.escape);
  }
  builder.finish(lines);
  const { globalArgs, stages, instructions } = builder;
  const diagnostics = builder.diagnostics.toSorted((a, b) => a.range.startLine - b.range.startLine);
  const dockerfile = diagnostics.length > 0 ? {} : { dockerfile: { ...directives, globalArgs, stages } };
  return { ...dockerfile, diagnostics, directives, lines, instructions };
}

/** The instruction behind ONBUILD, for the build that it triggers. Throws ParseFailure. */
export function parseTrigger(trigger: string, escapeChar: '\\' | '`' = '\\'): Instruction {
  const { lines, diagnostics } = joinLines(trigger.split('\n'), escapeChar);
  const [line, second] = lines;
  if (!line || diagnostics[0]) throw new ParseFailure(diagnostics[0]?.message ?? 'the trigger is empty');
  if (second) throw new ParseFailure('the trigger has more than one instruction');
  return parseInstruction(line, escapeChar);
}

class DockerfileBuilder {
  readonly diagnostics: Diagnostic[];
  readonly instructions: Instruction[] = [];
  readonly globalArgs: ArgInstruction[] = [];
  readonly stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  #fromFailed = false;

  constructor(diagnostics: Diagnostic[]) {
    this.diagnostics = diagnostics;
  }

  read(line: LogicalLine, escapeChar: string): void {
    try {
      const instruction = parseInstruction(line, escapeChar);
      this.instructions.push(instruction);
      this.#add(instruction);
    } catch (error) {
      if (!(error instanceof ParseFailure)) throw error;
      if (/^from\b/i.test(line.text)) this.#fromFailed = true;
      this.#complain(error.message, line.range, error.hint);
    }
  }

  finish(lines: readonly LogicalLine[]): void {
    const last = lines.at(-1);
    if (last && this.stages.length === 0 && !this.#fromFailed && this.diagnostics.length === 0)
      this.#complain('dockerfile contains no stages to build: there is no FROM', last.range, 'begin with FROM image');
  }

  #add(instruction: Instruction): void {
    const stage = this.stages.at(-1);
    if (instruction.name === 'from') this.#begin(instruction);
    else if (stage) stage.instructions.push(instruction);
    else if (instruction.name === 'arg') this.globalArgs.push(instruction);
    else if (!this.#fromFailed) {
      const message = 'no build stage in current context: only ARG may come before the first FROM';
      this.#complain(message, instruction.range, 'begin with FROM image');
      this.#fromFailed = true;
    }
  }

  #begin(from: FromInstruction): void {
    this.stages.push({ from, instructions: [] });
  }

  #complain(message: string, range: SourceRange, hint: string | undefined): void {
    this.diagnostics.push({ severity: 'error', rule: 'ParseError', message, range, hint });
  }
}

function failed(message: string, hint?: string): ParsedDockerfile {
  const range = { startLine: 1, startCharacter: 0, endLine: 1, endCharacter: 0 };
  const directives = { escape: '\\' } as const;
  return {
    diagnostics: [{ severity: 'error', rule: 'ParseError', message, range, hint }],
    directives,
    lines: [],
    instructions: [],
  };
}
