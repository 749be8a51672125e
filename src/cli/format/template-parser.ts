import { lexTemplate, type Piece, type Token, templateError } from './template-lexer.ts';

export type Node =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'if' | 'with'; readonly pipeline: Pipeline; readonly body: Block; readonly otherwise: Block }
  | { readonly kind: 'range'; readonly pipeline: Pipeline; readonly body: Block; readonly otherwise: Block }
  | { readonly kind: 'break' | 'continue' };

export type Block = readonly Node[];

/** `$a, $b := command | command`. */
export interface Pipeline {
  readonly variables: readonly string[];
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

/** A value, with the fields asked of it. */
export interface Operand {
  readonly base:
    | { readonly kind: 'dot' }
    | { readonly kind: 'variable' | 'function'; readonly name: string }
    | { readonly kind: 'constant'; readonly value: unknown }
    | { readonly kind: 'group'; readonly pipeline: Pipeline };
  readonly fields: readonly string[];
}

const deepest = 100;

/** Parses a Go template (text/template), except `define`, `template` and `block`. */
export function parseTemplate(template: string): Block {
  const parser = new TemplateParser(lexTemplate(template));
  const block = parser.block(0, false);
  if (block.end !== '') throw templateError(`unexpected {{${block.end}}}`);
  return block.nodes;
}

interface ParsedBlock {
  readonly nodes: Block;
  /** What ended it: `end`, `else`, or nothing at the template's end. */
  readonly end: string;
  readonly rest: readonly Token[];
}

class TemplateParser {
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  block(depth: number, inRange: boolean): ParsedBlock {
    if (depth > deepest) throw templateError('the template nests too deep');
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (!piece) return { nodes, end: '', rest: [] };
      if (piece.kind === 'literal') {
        nodes.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      const word = first?.kind === 'symbol' ? first.text : '';
      if (word === 'end' || word === 'else') return { nodes, end: word, rest };
      if (word === 'if' || word === 'with' || word === 'range') nodes.push(this.#control(word, rest, depth, inRange));
      else if (word === 'break' || word === 'continue') {
        if (!inRange) throw templateError(`{{${word}}} outside {{range}}`);
        nodes.push({ kind: word });
      } else nodes.push({ kind: 'print', pipeline: parsePipeline(piece.tokens) });
    }
  }

  #control(kind: 'if' | 'with' | 'range', tokens: readonly Token[], depth: number, inRange: boolean): Node {
    const loops = inRange || kind === 'range';
    const pipeline = parsePipeline(tokens);
    const body = this.block(depth + 1, loops);
    if (body.end === 'end') return { kind, pipeline, body: body.nodes, otherwise: [] };
    if (body.end !== 'else') throw templateError(`{{${kind}}} without {{end}}`);
    const [next, ...rest] = body.rest;
    if (next?.kind === 'symbol' && (next.text === 'if' || next.text === 'with'))
      return { kind, pipeline, body: body.nodes, otherwise: [this.#control(next.text, rest, depth + 1, inRange)] };
    const otherwise = this.block(depth + 1, loops);
    if (otherwise.end !== 'end') throw templateError(`{{${kind}}} without {{end}}`);
    return { kind, pipeline, body: body.nodes, otherwise: otherwise.nodes };
  }
}

function parsePipeline(tokens: readonly Token[]): Pipeline {
  const reader = new PipelineReader(tokens);
  const pipeline = reader.pipeline(0);
  if (!reader.done) throw templateError(`unexpected ${JSON.stringify(reader.shown)} in a pipeline`);
  return pipeline;
}

class PipelineReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get shown(): string {
    const token = this.#tokens[this.#at];
    return token?.kind === 'number' ? `${token.value}` : (token?.text ?? '');
  }

  pipeline(depth: number): Pipeline {
    if (depth > deepest) throw templateError('the template nests too deep');
    const head = this.#assignment();
    const commands: Operand[][] = [];
    do commands.push(this.#command(depth));
    while (this.#take('|'));
    return { ...head, commands };
  }

  #assignment(): { readonly variables: readonly string[]; readonly declares: boolean } {
    const begin = this.#at;
    const variables: string[] = [];
    do {
      const name = this.#symbol();
      if (!name?.startsWith('$')) break;
      variables.push(name);
      this.#at++;
    } while (this.#take(','));
    for (const [sign, declares] of [
      [':=', true],
      ['=', false],
    ] as const)
      if (variables.length > 0 && this.#take(sign)) return { variables, declares };
    this.#at = begin;
    return { variables: [], declares: false };
  }

  #command(depth: number): Operand[] {
    const operands: Operand[] = [];
    while (!this.done && !this.#is('|') && !this.#is(')')) operands.push(this.#operand(depth));
    if (operands.length === 0) throw templateError('missing value in an action');
    return operands;
  }

  #operand(depth: number): Operand {
    const token = this.#tokens[this.#at++];
    if (token?.kind === 'text') return { base: { kind: 'constant', value: token.text }, fields: this.#fields() };
    if (token?.kind === 'number') return { base: { kind: 'constant', value: token.value }, fields: [] };
    const name = token?.text ?? '';
    if (name === '(') {
      const pipeline = this.pipeline(depth + 1);
      if (!this.#take(')')) throw templateError('unclosed parenthesis');
      return { base: { kind: 'group', pipeline }, fields: this.#fields() };
    }
    if (name === '.') return { base: { kind: 'dot' }, fields: this.#fields() };
    if (name.startsWith('.')) return { base: { kind: 'dot' }, fields: [name.slice(1), ...this.#fields()] };
    if (name.startsWith('$')) return { base: { kind: 'variable', name }, fields: this.#fields() };
    if (name === 'true' || name === 'false') return { base: { kind: 'constant', value: name === 'true' }, fields: [] };
    if (name === 'nil') return { base: { kind: 'constant', value: null }, fields: [] };
    if (!/^[\p{L}_]/u.test(name)) throw templateError(`unexpected ${JSON.stringify(name)} in an action`);
    return { base: { kind: 'function', name }, fields: [] };
  }

  /** `.A.B` directly behind a value. */
  #fields(): string[] {
    const fields: string[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'symbol' || token.spaced || !/^\.[^.]/.test(token.text)) return fields;
      fields.push(token.text.slice(1));
      this.#at++;
    }
  }

  #symbol(): string | undefined {
    const token = this.#tokens[this.#at];
    return token?.kind === 'symbol' ? token.text : undefined;
  }

  #is(text: string): boolean {
    return this.#symbol() === text;
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }
}
