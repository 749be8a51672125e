import { suggest } from './diagnostic.ts';
import type { RunMount } from './instruction.ts';
import { ParseFailure } from './parse-failure.ts';

const types = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const sharings = ['shared', 'private', 'locked'] as const;
const keys = [
  'type',
  'from',
  'source',
  'src',
  'target',
  'dst',
  'destination',
  'readonly',
  'ro',
  'readwrite',
  'rw',
  'id',
  'sharing',
  'required',
  'size',
  'mode',
  'uid',
  'gid',
  'env',
];

type Mutable = { -readonly [K in keyof RunMount]?: RunMount[K] };

/**
 * The value of `RUN --mount=` (reference.md "RUN --mount"); `expand` fills in the variables of each field but `from`, which decides
 * what the build graph is. Throws ParseFailure, and what `expand` throws.
 */
export function parseRunMount(text: string, expand: (value: string) => string = (value) => value): RunMount {
  const mount: Mutable = {};
  for (const [key, value] of fieldsOf(text)) {
    const isLiteral = value === undefined || key === 'from';
    setField(mount, key, isLiteral ? value : expand(value), text);
  }
  return check({ ...mount, type: mount.type ?? 'bind' });
}

/** The stage or image that a mount takes its files from, which no variable decides. Throws ParseFailure. */
export function mountSource(text: string): string | undefined {
  return fieldsOf(text).findLast(([key]) => key === 'from')?.[1];
}

/** What can be said before the variables are known. Throws ParseFailure. */
export function checkRunMount(text: string): void {
  if (!text.includes('$')) {
    parseRunMount(text);
    return;
  }
  for (const [key, value] of fieldsOf(text)) {
    if (key === 'from' && value?.slice(0, -1).includes('$'))
      throw new ParseFailure(
        "'from' doesn't support variable expansion, define alias stage instead",
        'write FROM with the variable and AS name, and from=name here',
      );
  }
}

function fieldsOf(text: string): (readonly [key: string, value: string | undefined])[] {
  return csvFields(text).map((field) => {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    return [key, equals < 0 ? undefined : field.slice(equals + 1)] as const;
  });
}

function setField(mount: Mutable, key: string, value: string | undefined, text: string): void {
  if (key === 'readonly' || key === 'ro') mount.readonly = flag(key, value);
  else if (key === 'readwrite' || key === 'rw') mount.readonly = !flag(key, value);
  else if (key === 'required') mount.required = flag(key, value);
  else if (!keys.includes(key)) {
    const near = suggest(key, keys);
    throw new ParseFailure(
      `unexpected key '${key}' in '${text}'`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  } else if (value === undefined) throw new ParseFailure(`invalid field '${key}' must be a key=value pair`);
  else setValue(mount, key, value);
}

function setValue(mount: Mutable, key: string, value: string): void {
  switch (key) {
    case 'type':
      mount.type = oneOf(types, value.toLowerCase(), 'mount type');
      break;
    case 'sharing':
      mount.sharing = oneOf(sharings, value.toLowerCase(), 'sharing value');
      break;
    case 'source':
    case 'src':
      mount.source = value;
      break;
    case 'target':
    case 'dst':
    case 'destination':
      mount.target = value;
      break;
    case 'from':
      mount.from = value;
      break;
    case 'id':
      mount.id = value;
      break;
    case 'env':
      mount.env = value;
      break;
    case 'size':
      mount.size = bytes(value);
      break;
    case 'mode':
      mount.mode = number(value, 8, key);
      break;
    case 'uid':
      mount.uid = number(value, 10, key);
      break;
    case 'gid':
      mount.gid = number(value, 10, key);
      break;
  }
}

function check(mount: RunMount): RunMount {
  const owned = mount.mode !== undefined || mount.uid !== undefined || mount.gid !== undefined;
  if (owned && (mount.type === 'bind' || mount.type === 'tmpfs')) {
    const key = mount.mode !== undefined ? 'mode' : mount.uid !== undefined ? 'uid' : 'gid';
    throw new ParseFailure(`${key} not allowed for ${JSON.stringify(mount.type)} type mounts`);
  }
  if (mount.sharing !== undefined && mount.type !== 'cache')
    throw new ParseFailure(`sharing not allowed for ${mount.type} type mounts`);
  if (mount.size !== undefined && mount.type !== 'tmpfs')
    throw new ParseFailure(`size not allowed for ${mount.type} type mounts`);
  if (mount.env !== undefined && mount.type !== 'secret')
    throw new ParseFailure(`env not allowed for ${mount.type} type mounts`);
  if (mount.required !== undefined && mount.type !== 'secret' && mount.type !== 'ssh') {
    throw new ParseFailure(`required not allowed for ${mount.type} type mounts`);
  }
  if (mount.type === 'secret' && mount.from !== undefined)
    throw new ParseFailure('secret mount should not have a from');
  if (mount.type !== 'secret' && mount.type !== 'ssh' && (mount.target ?? '') === '') {
    throw new ParseFailure(`invalid mount: a ${mount.type} mount needs a target`, 'add target=/path');
  }
  if (mount.type === 'secret' && (mount.id ?? mount.source ?? mount.target) === undefined) {
    throw new ParseFailure('invalid secret mount. one of source, target required', 'add id=NAME');
  }
  if (mount.type === 'secret' && mount.source !== undefined && mount.id !== undefined)
    throw new ParseFailure("both source and id can't be set", 'they mean the same: keep id');
  if (mount.env !== '') return mount;
  return { ...mount, env: mount.id ?? mount.source ?? mount.target?.split('/').at(-1) ?? '' };
}

function flag(key: string, value: string | undefined): boolean {
  if (value === undefined || /^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new ParseFailure(`invalid value for ${key}: ${value}`, 'want true or false');
}

function oneOf<T extends string>(among: readonly T[], value: string, what: string): T {
  const found = among.find((each) => each === value);
  if (found !== undefined) return found;
  const near = suggest(value, among);
  throw new ParseFailure(
    `unsupported ${what} ${JSON.stringify(value)}`,
    near === undefined ? `want one of ${among.join(', ')}` : `did you mean ${near}?`,
  );
}

function number(value: string, base: 8 | 10, key: string): number {
  if (!(base === 8 ? /^[0-7]{1,11}$/ : /^\d{1,10}$/).test(value))
    throw new ParseFailure(`invalid value ${value} for ${key}`);
  return Number.parseInt(value, base);
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function bytes(value: string): number {
  const match = /^(\d{1,15})\s*([bkmgt]?)i?b?$/i.exec(value);
  const unit = units[match?.[2]?.toLowerCase() ?? 'x'];
  if (!match || unit === undefined)
    throw new ParseFailure(`invalid value for size: ${value}`, 'want a number with a unit, such as 64m');
  return Number(match[1]) * unit;
}

/** One record of comma-separated values: quotes hold commas, doubled quotes are quotes. */
function csvFields(text: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"' && quoted && text.charAt(at + 1) === '"') field += text.charAt(++at);
    else if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  if (quoted) throw new ParseFailure(`a quote is left open in '${text}'`);
  return [...fields, field];
}
