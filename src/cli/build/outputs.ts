import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { invalidArgument } from '../../base/errors.ts';
import type { ExportTarget } from '../../client/serve-exports.ts';
import type { FlagReader } from '../flags.ts';
import { readFields } from './fields.ts';

export interface BuildOutput {
  readonly type: string;
  readonly attrs: Record<string, string>;
  /** Where on this side it goes, for those that come back. */
  readonly target: ExportTarget | undefined;
}

/** `--output`, `--push` and `--load`; without any, the image goes into the daemon's store. */
export function readOutputs(flags: FlagReader, tags: readonly string[]): BuildOutput[] {
  const texts = [
    ...flags.list('output'),
    ...(flags.boolean('push') ? ['type=registry'] : []),
    ...(flags.boolean('load') ? ['type=image'] : []),
  ];
  const names = tags.join(',');
  const annotations = Object.fromEntries(flags.list('annotation').map(annotationAttr));
  return (texts.length > 0 ? texts : ['type=image']).map((text) => {
    const { type, dest, attrs } = parseOutput(text);
    const named = ['image', 'registry', 'oci', 'docker'].includes(type);
    const target = targetOf(type, dest, attrs);
    // Nowhere to send a docker archive means the store.
    const loaded = type === 'docker' && !target;
    return {
      type: loaded ? 'image' : type,
      attrs: {
        ...(named && names !== '' ? { name: names } : {}),
        ...(named && flags.boolean('squash') ? { squash: 'true' } : {}),
        ...annotations,
        ...attrs,
      },
      target,
    };
  });
}

function parseOutput(text: string): {
  readonly type: string;
  readonly dest: string | undefined;
  readonly attrs: Record<string, string>;
} {
  if (text === '-') return { type: 'tar', dest: '-', attrs: {} };
  if (!text.includes('=')) return { type: 'local', dest: text, attrs: {} };
  const { type, dest, ...rest } = Object.fromEntries(readFields(text, 'true'));
  if (type === undefined || type === 'true')
    throw invalidArgument(`cannot use output ${JSON.stringify(text)}: it says no type`, {
      hint: 'want type=local,dest=path and the like',
    });
  return { type, dest, attrs: rest };
}

function targetOf(type: string, dest: string | undefined, attrs: Record<string, string>): ExportTarget | undefined {
  if (type === 'local') {
    if (dest === undefined || dest === '')
      throw invalidArgument('cannot use output type=local: it needs a destination', { hint: 'add dest=path' });
    if (statSync(dest, { throwIfNoEntry: false })?.isFile())
      throw invalidArgument(`cannot write the output into ${JSON.stringify(dest)}: it is a file`);
    return { kind: 'directory', path: resolve(dest), deleteOthers: attrs.mode === 'delete' };
  }
  if (!['tar', 'oci', 'docker'].includes(type)) return undefined;
  if (dest === undefined && type === 'docker') return undefined;
  if (attrs.tar === 'false') return layoutTarget(type, dest);
  if (dest === undefined || dest === '-') {
    if (process.stdout.isTTY)
      throw invalidArgument(`cannot write the output type=${type} to a terminal`, {
        hint: 'redirect it, or add dest=file',
      });
    return { kind: 'stream', write: (bytes) => writeAll(bytes) };
  }
  const path = resolve(dest);
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory())
    throw invalidArgument(
      `cannot write the output into ${JSON.stringify(dest)}: there is no directory ${JSON.stringify(dirname(path))}`,
    );
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw invalidArgument(`cannot write the output into ${JSON.stringify(dest)}: it is a directory`);
  return { kind: 'file', path };
}

function layoutTarget(type: string, dest: string | undefined): ExportTarget {
  if (dest === undefined || dest === '-')
    throw invalidArgument(`cannot write the output type=${type},tar=false: it needs a directory`, {
      hint: 'add dest=path',
    });
  if (statSync(dest, { throwIfNoEntry: false })?.isFile())
    throw invalidArgument(`cannot write the output into ${JSON.stringify(dest)}: it is a file`);
  return { kind: 'layout', path: resolve(dest) };
}

function writeAll(bytes: Uint8Array): Promise<void> | undefined {
  if (process.stdout.write(bytes)) return undefined;
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}

function annotationAttr(text: string): [string, string] {
  const match = /^(?:([a-z,-]+)(?:\[([^\]]+)\])?:)?([^=]+)=(.*)$/s.exec(text);
  if (!match) throw invalidArgument(`cannot use annotation ${JSON.stringify(text)}`, { hint: 'want key=value' });
  const [, level, platform, key = '', value = ''] = match;
  return [
    `annotation${level === undefined ? '' : `-${level}`}${platform === undefined ? '' : `[${platform}]`}.${key}`,
    value,
  ];
}
