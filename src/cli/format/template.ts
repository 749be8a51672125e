import { templateFunctions } from './template-functions.ts';
import { templateError } from './template-lexer.ts';
import { type Block, type Node, type Operand, type Pipeline, parseTemplate } from './template-parser.ts';
import { entriesOf, fieldOf, isTrue, showValue } from './template-values.ts';

/** Gives a document its text. */
export type Template = (data: object) => string;

/**
 * Compiles one of docker's `--format` templates: Go's text/template with docker's functions. A field that a document
 * lacks is an error at its top and `<no value>` further down, where keys are the user's own (labels, for example).
 * Function-valued fields are methods, as `.Label "key"`.
 */
export function compileTemplate(text: string): Template {
  const block = parseTemplate(text);
  return (data) => new Run(data).block(block, data, new Scope(undefined, new Map([['$', data]])));
}

export function runTemplate(text: string, data: object): string {
  return compileTemplate(text)(data);
}

/** `\t` and `\n` as people type them in `--format`. */
export function unescapeFormat(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

class Scope {
  readonly #parent: Scope | undefined;
  readonly #values: Map<string, unknown>;

  constructor(parent: Scope | undefined, values = new Map<string, unknown>()) {
    this.#parent = parent;
    this.#values = values;
  }

  get(name: string): unknown {
    if (this.#values.has(name)) return this.#values.get(name);
    if (!this.#parent) throw templateError(`undefined variable ${JSON.stringify(name)}`);
    return this.#parent.get(name);
  }

  declare(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  assign(name: string, value: unknown): void {
    if (this.#values.has(name)) this.#values.set(name, value);
    else if (this.#parent) this.#parent.assign(name, value);
    else throw templateError(`undefined variable ${JSON.stringify(name)}`);
  }
}

class LoopExit {
  readonly kind: 'break' | 'continue';
  text: string;

  constructor(kind: 'break' | 'continue') {
    this.kind = kind;
    this.text = '';
  }
}

class Run {
  readonly #root: object;

  constructor(root: object) {
    this.#root = root;
  }

  block(nodes: Block, dot: unknown, scope: Scope): string {
    let text = '';
    for (const node of nodes) {
      try {
        text += this.#node(node, dot, scope);
      } catch (exit) {
        if (exit instanceof LoopExit) exit.text = text + exit.text;
        throw exit;
      }
    }
    return text;
  }

  #node(node: Node, dot: unknown, scope: Scope): string {
    switch (node.kind) {
      case 'literal':
        return node.text;
      case 'print': {
        const value = this.#pipeline(node.pipeline, dot, scope);
        return node.pipeline.variables.length > 0 ? '' : showValue(value);
      }
      case 'if':
      case 'with': {
        const inner = new Scope(scope);
        const value = this.#pipeline(node.pipeline, dot, inner);
        if (isTrue(value)) return this.block(node.body, node.kind === 'with' ? value : dot, inner);
        return this.block(node.otherwise, dot, inner);
      }
      case 'range':
        return this.#range(node, dot, scope);
      default:
        throw new LoopExit(node.kind);
    }
  }

  #range({ pipeline, body, otherwise }: Extract<Node, { kind: 'range' }>, dot: unknown, scope: Scope): string {
    const items = itemsOf(this.#pipeline({ ...pipeline, variables: [] }, dot, scope));
    if (items.length === 0) return this.block(otherwise, dot, new Scope(scope));
    let text = '';
    for (const [key, item] of items) {
      const inner = new Scope(scope);
      const [first, second] = pipeline.variables;
      if (first !== undefined) inner.declare(first, second === undefined ? item : key);
      if (second !== undefined) inner.declare(second, item);
      try {
        text += this.block(body, item, inner);
      } catch (exit) {
        if (!(exit instanceof LoopExit)) throw exit;
        text += exit.text;
        if (exit.kind === 'break') break;
      }
    }
    return text;
  }

  #pipeline({ variables, declares, commands }: Pipeline, dot: unknown, scope: Scope): unknown {
    let value: unknown;
    for (const [i, command] of commands.entries()) value = this.#command(command, dot, scope, i > 0 ? [value] : []);
    for (const name of variables) {
      if (declares) scope.declare(name, value);
      else scope.assign(name, value);
    }
    return value;
  }

  /** The first operand applied to the others and, last, to what the pipe brings. */
  #command([head, ...rest]: readonly Operand[], dot: unknown, scope: Scope, piped: readonly unknown[]): unknown {
    if (!head) throw templateError('missing value in an action');
    const given = () => [...rest.map((each) => this.#operand(each, dot, scope)), ...piped];
    if (head.base.kind === 'function') {
      const { name } = head.base;
      if (!Object.hasOwn(templateFunctions, name)) throw templateError(`function ${JSON.stringify(name)} not defined`);
      return templateFunctions[name]?.(...given());
    }
    const value = this.#operand(head, dot, scope);
    if (typeof value === 'function') return value(...given());
    if (rest.length + piped.length > 0)
      throw templateError(`can't give argument to non-function ${shownOperand(head)}`);
    return value;
  }

  #operand(operand: Operand, dot: unknown, scope: Scope): unknown {
    let value = this.#base(operand, dot, scope);
    for (const name of operand.fields) {
      const field = fieldOf(value, name);
      if (!field.found && (value === this.#root || typeof value !== 'object' || Array.isArray(value)))
        throw templateError(`can't evaluate field ${name}${this.#knownFields(value)}`);
      value = field.value;
    }
    return value;
  }

  #base({ base }: Operand, dot: unknown, scope: Scope): unknown {
    switch (base.kind) {
      case 'dot':
        return dot;
      case 'variable':
        return scope.get(base.name);
      case 'constant':
        return base.value;
      case 'group':
        return this.#pipeline(base.pipeline, dot, scope);
      case 'function':
        return this.#command([{ base, fields: [] }], dot, scope, []);
    }
  }

  #knownFields(value: unknown): string {
    return value === this.#root ? `: there are ${Object.keys(this.#root).join(', ')}` : '';
  }
}

function itemsOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'number') return Array.from({ length: Math.min(value, 1e5) }, (_, i) => [i, i] as const);
  if (Array.isArray(value)) return value.map((item, i) => [i, item] as const);
  if (typeof value === 'object') return entriesOf(value);
  throw templateError(`range can't iterate over ${JSON.stringify(value)}`);
}

function shownOperand({ base, fields }: Operand): string {
  return `${base.kind === 'variable' ? base.name : ''}${fields.map((field) => `.${field}`).join('')}`;
}
