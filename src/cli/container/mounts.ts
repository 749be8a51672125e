import { resolve } from 'node:path';
import { parseBytes } from '../../base/parse-quantity.ts';
import { splitFields } from '../build/fields.ts';
import { UsageError } from '../flags.ts';

export interface VolumeOptions {
  /** `source:target[:mode]`, sources of the host absolute. */
  readonly binds: readonly string[];
  /** Targets of anonymous volumes. */
  readonly anonymous: readonly string[];
}

/** `-v`: `/path` is an anonymous volume, `name:/path` a volume, `/host:/path` and `./rel:/path` directories of the host. */
export function readVolumes(words: readonly string[]): VolumeOptions {
  const binds: string[] = [];
  const anonymous: string[] = [];
  for (const word of words) {
    const [source = '', target, mode, ...more] = word.split(':');
    if (more.length > 0 || word === '' || target === '' || (target !== undefined && source === ''))
      throw new UsageError(`invalid volume specification: '${word}'`, 125);
    if (target === undefined) anonymous.push(source);
    else
      binds.push(
        [/^\.{1,2}(\/|$)/.test(source) ? resolve(source) : source, target, ...(mode === undefined ? [] : [mode])].join(
          ':',
        ),
      );
  }
  return { binds, anonymous };
}

/** `--tmpfs /path[:options]`. */
export function readTmpfs(words: readonly string[]): Record<string, string> | undefined {
  if (words.length === 0) return undefined;
  return Object.fromEntries(
    words.map((word) => {
      const colon = word.indexOf(':');
      return colon < 0 ? [word, ''] : [word.slice(0, colon), word.slice(colon + 1)];
    }),
  );
}

type Fields = Map<string, string>;

/** `--mount type=…,source=…,target=…`, as the API's `Mount`. */
export function readMount(word: string): object {
  const fields: Fields = new Map();
  for (const field of splitFields(word)) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const name = { src: 'source', dst: 'target', destination: 'target', ro: 'readonly' }[key] ?? key;
    fields.set(name, equals < 0 ? '' : field.slice(equals + 1));
  }
  const take = (key: string) => {
    const value = fields.get(key);
    fields.delete(key);
    return value;
  };
  const type = take('type') || 'volume';
  const source = take('source');
  const target = take('target');
  if (!target) throw mountError(word, 'target is required');
  const readOnly = take('readonly');
  const mount = {
    Type: type,
    ...(source ? { Source: type === 'bind' && /^\.{1,2}(\/|$)/.test(source) ? resolve(source) : source } : {}),
    Target: target,
    ...(readOnly === undefined || isFalse(readOnly) ? {} : { ReadOnly: true }),
    ...optionsOf(type, take, fields),
  };
  const [left] = fields.keys();
  if (left !== undefined) throw mountError(word, `unexpected key '${left}' for a mount of type ${type}`);
  return mount;
}

function optionsOf(type: string, take: (key: string) => string | undefined, fields: Fields): object {
  switch (type) {
    case 'bind': {
      const propagation = take('bind-propagation');
      const recursive = take('bind-recursive');
      const create = take('bind-create-src');
      const options = {
        ...(propagation ? { Propagation: propagation } : {}),
        ...(recursive === 'disabled' ? { NonRecursive: true } : {}),
        ...(recursive === 'writable' ? { ReadOnlyNonRecursive: true } : {}),
        ...(recursive === 'readonly' ? { ReadOnlyForceRecursive: true } : {}),
        ...(create === undefined || isFalse(create) ? {} : { CreateMountpoint: true }),
      };
      return Object.keys(options).length > 0 ? { BindOptions: options } : {};
    }
    case 'tmpfs': {
      const [size, mode] = [take('tmpfs-size'), take('tmpfs-mode')];
      const options = {
        ...(size ? { SizeBytes: parseBytes(size) } : {}),
        ...(mode ? { Mode: Number.parseInt(mode, 8) } : {}),
      };
      return Object.keys(options).length > 0 ? { TmpfsOptions: options } : {};
    }
    case 'volume': {
      const [noCopy, subpath, driver] = [take('volume-nocopy'), take('volume-subpath'), take('volume-driver')];
      const options = {
        ...(noCopy === undefined || isFalse(noCopy) ? {} : { NoCopy: true }),
        ...(subpath ? { Subpath: subpath } : {}),
        ...(driver ? { DriverConfig: { Name: driver } } : {}),
      };
      return Object.keys(options).length > 0 ? { VolumeOptions: options } : {};
    }
    case 'image': {
      const subpath = take('image-subpath');
      return subpath ? { ImageOptions: { Subpath: subpath } } : {};
    }
    default:
      throw mountError([...fields.keys()].join(','), `unknown type '${type}'`);
  }
}

function mountError(word: string, what: string): UsageError {
  return new UsageError(`invalid argument ${JSON.stringify(word)} for "--mount" flag: ${what}`, 125);
}

function isFalse(text: string): boolean {
  return /^(0|f|false)$/i.test(text);
}
