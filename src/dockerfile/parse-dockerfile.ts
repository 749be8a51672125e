import type { Diagnostic } from './diagnostic.ts';
import { readDirectives } from './directives.ts';
import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, Stage } from './instruction.ts';
import { joinLines, type LogicalLine } from './logical-lines.ts';
import { ParseFailure } from './parse-failure.ts';
import { parseInstruction } from './parse-instruction.ts';

export interface ParsedDockerfile {
  /** Absent when there are errors. */
  readonly dockerfile?: Dockerfile;
  /** All of them, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  readonly lines: readonly LogicalLine[];
}

/** A Dockerfile may be large, but not as large as to stop the daemon. Bytes. */
const sizeLimit = 16 * 1024 * 1024;
/** Past this many there is nothing more to learn. */
const errorLimit = 50;

/** Reads a whole Dockerfile (reference.md). Never throws for what the text says: errors come as diagnostics, all at once. */
export function parseDockerfile(source: string | Uint8Array): ParsedDockerfile {
  if (source.length > sizeLimit) return failed(`the Dockerfile is larger than ${sizeLimit} bytes`);
  const text = (typeof source === 'string' ? source : Buffer.from(source).toString('utf8')).replace(/^\uFEFF/, '');
  if (text.includes('\0')) return failed('the Dockerfile contains a NUL byte: it is not a text file');
  const physical = text.split(/\r?\n/);
  const { directives, diagnostics: directiveErrors } = readDirectives(physical);
  const { lines, diagnostics: lineErrors } = joinLines(physical, directives.escape);
  const diagnostics = [...directiveErrors, ...lineErrors];
  const builder = new DockerfileBuilder(diagnostics);
  for (const line of lines) {
    if (diagnostics.length >= errorLimit) break;
    try {
      builder.add(parseInstruction(line, directives.escape));
    } catch (error) {
      if (!(error instanceof ParseFailure)) throw error;
      builder.failedAt(line, error);
    }
  }
  if (lines.length === 0 && diagnostics.length === 0) return failed('file with no instructions');
  const { globalArgs, stages } = builder.finish(lines);
  if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics, lines };
  return { dockerfile: { ...directives, globalArgs, stages }, diagnostics, lines };
}

/** The instruction behind ONBUILD, for the build that it triggers. Throws ParseFailure. */
export function parseTrigger(trigger: string, escapeChar: '\\' | '`' = '\\'): Instruction {
  const { lines, diagnostics } = joinLines(trigger.split(/\r?\n/), escapeChar);
  const [line] = lines;
  if (!line || diagnostics[0]) throw new ParseFailure(diagnostics[0]?.message ?? 'the trigger is empty');
  return parseInstruction(line, escapeChar);
}

class DockerfileBuilder {
  readonly #diagnostics: Diagnostic[];
  readonly #globalArgs: ArgInstruction[] = [];
  readonly #stages: { readonly from: FromInstruction; readonly instructions: Instruction[] }[] = [];
  #fromFailed = false;

  constructor(diagnostics: Diagnostic[]) {
    this.#diagnostics = diagnostics;
  }

  add(instruction: Instruction): void {
    const stage = this.#stages.at(-1);
    if (instruction.name === 'from') this.#stages.push({ from: instruction, instructions: [] });
    else if (stage) stage.instructions.push(instruction);
    else if (instruction.name === 'arg') this.#globalArgs.push(instruction);
    else if (!this.#fromFailed) {
      this.#error(
        'no build stage in current context: only ARG may come before the first FROM',
        instruction.range,
        'begin with FROM image',
      );
      this.#fromFailed = true;
    }
  }

  failedAt(line: LogicalLine, { message, hint }: ParseFailure): void {
    if (/^from\b/i.test(line.text.trim())) this.#fromFailed = true;
    this.#error(message, line.range, hint);
  }

  finish(lines: readonly LogicalLine[]): {
    readonly globalArgs: readonly ArgInstruction[];
    readonly stages: readonly Stage[];
  } {
    const last = lines.at(-1);
    if (last && this.#stages.length === 0 && !this.#fromFailed && this.#diagnostics.length === 0) {
      this.#error('no build stage in current context: there is no FROM', last.range, 'begin with FROM image');
    }
    return { globalArgs: this.#globalArgs, stages: this.#stages };
  }

  #error(message: string, range: Diagnostic['range'], hint: string | undefined): void {
    this.#diagnostics.push({ severity: 'error', rule: 'ParseError', message, range, hint });
  }
}

function failed(message: string): ParsedDockerfile {
  const range = { startLine: 1, startCharacter: 0, endLine: 1, endCharacter: 0 };
  return { diagnostics: [{ severity: 'error', rule: 'ParseError', message, range }], lines: [] };
}
