import { UsageError } from './flags.ts';

type Value = unknown;

const functions: Readonly<Record<string, (...args: Value[]) => Value>> = {
  json: (value) => JSON.stringify(value),
  lower: (value) => String(value).toLowerCase(),
  upper: (value) => String(value).toUpperCase(),
  title: (value) => String(value).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  join: (list, separator) => (Array.isArray(list) ? list.join(String(separator)) : ''),
  split: (text, separator) => String(text).split(String(separator)),
  truncate: (text, length) => String(text).slice(0, Number(length)),
  pad: (text, before, after) => `${' '.repeat(Number(before))}${text}${' '.repeat(Number(after))}`,
  println: (...args) => `${args.join(' ')}\n`,
  len: (value) => (Array.isArray(value) || typeof value === 'string' ? value.length : Object.keys(value ?? {}).length),
  index: (value, key) => (value as Record<string, Value> | undefined)?.[String(key)],
};

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipeline: string }
  | {
      readonly kind: 'block';
      readonly word: 'if' | 'range' | 'with';
      readonly pipeline: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Runs a Go template: fields, pipes, docker's functions, if, range and with. */
export function runTemplate(template: string, data: Value): string {
  const tokens = template.split(/(\{\{-?[\s\S]*?-?\}\})/);
  const { nodes } = parse(tokens, 0, template);
  return render(nodes, data, template);
}

function parse(
  tokens: readonly string[],
  from: number,
  template: string,
): { readonly nodes: Node[]; readonly next: number; readonly end: string } {
  const nodes: Node[] = [];
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    const action = /^\{\{-?\s*([\s\S]*?)\s*-?\}\}$/.exec(token)?.[1];
    if (action === undefined) {
      if (token !== '') nodes.push({ kind: 'text', text: token });
      continue;
    }
    if (action === 'end' || action === 'else') return { nodes, next: at, end: action };
    const block = /^(if|range|with)\s+([\s\S]+)$/.exec(action);
    if (!block) {
      nodes.push({ kind: 'value', pipeline: action });
      continue;
    }
    const body = parse(tokens, at + 1, template);
    const otherwise = body.end === 'else' ? parse(tokens, body.next + 1, template) : undefined;
    if ((otherwise ?? body).end !== 'end')
      throw new UsageError(`template parsing error: ${JSON.stringify(template)}: a block has no end`);
    nodes.push({
      kind: 'block',
      word: block[1] as 'if',
      pipeline: block[2] ?? '',
      body: body.nodes,
      otherwise: otherwise?.nodes ?? [],
    });
    at = (otherwise ?? body).next;
  }
  return { nodes, next: tokens.length, end: '' };
}

function render(nodes: readonly Node[], data: Value, template: string): string {
  return nodes
    .map((node): string => {
      if (node.kind === 'text') return node.text;
      const value = evaluate(node.pipeline, data, template);
      if (node.kind === 'value') return shown(value);
      const filled =
        value !== undefined &&
        value !== null &&
        value !== false &&
        value !== '' &&
        value !== 0 &&
        !(Array.isArray(value) && value.length === 0);
      if (!filled) return render(node.otherwise, data, template);
      if (node.word === 'range')
        return Object.values(value as object)
          .map((each) => render(node.body, each, template))
          .join('');
      return render(node.body, node.word === 'with' ? value : data, template);
    })
    .join('');
}

function shown(value: Value): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${Object.entries(value)
      .map(([key, each]) => `${key}:${shown(each)}`)
      .join(' ')}]`;
  return String(value);
}

function evaluate(pipeline: string, data: Value, template: string): Value {
  let value: Value;
  for (const [i, stage] of splitOutsideQuotes(pipeline, '|').entries()) {
    const words = splitOutsideQuotes(stage.trim(), ' ').filter((word) => word !== '');
    const [head = '', ...rest] = words;
    const args = rest.map((word) => operand(word, data, template));
    if (i > 0) args.push(value);
    const call = Object.hasOwn(functions, head) ? functions[head] : undefined;
    // In a pipe docker's functions take the piped value last; ours take it first.
    value = call ? call(...(i > 0 ? [args.at(-1), ...args.slice(0, -1)] : args)) : operand(head, data, template);
  }
  return value;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  return [
    ...text.matchAll(new RegExp(`(?:"(?:[^"\\\\]|\\\\.)*"|\`[^\`]*\`|[^${separator === '|' ? '|' : ' '}])+`, 'g')),
  ].map(([match]) => match);
}

function operand(word: string, data: Value, template: string): Value {
  if (word === '.' || word === '$') return data;
  if (/^-?\d+$/.test(word)) return Number(word);
  if (word.startsWith('"')) return JSON.parse(word);
  if (word.startsWith('`')) return word.slice(1, -1);
  const path = word.replace(/^\$?\./, '').split('.');
  if (!/^\$?\./.test(word))
    throw new UsageError(
      `template parsing error: ${JSON.stringify(template)}: function ${JSON.stringify(word)} not defined`,
    );
  let value: Value = data;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    if (!Object.hasOwn(value, key)) {
      if (value === data && path.length === 1)
        throw new UsageError(`template error: ${JSON.stringify(template)}: there is no field ${JSON.stringify(key)}`);
      return undefined;
    }
    value = (value as Record<string, Value>)[key];
  }
  return value;
}
