import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';

export interface LocalSourceOptions {
  /** Whose directory it is. */
  readonly session: string;
  /** Directories with one key share what was sent before. */
  readonly sharedKeyHint: string;
  readonly name: string;
  /** Only these and what they link to; everything when empty. */
  readonly followPaths?: readonly string[];
  readonly exclude?: readonly string[];
  /** Files that are only read here and become part of no image. */
  readonly isMetadata?: boolean;
}

/** A directory of the client. */
export function localSource(local: string, options: LocalSourceOptions): Edge {
  const list = (key: string, values: readonly string[] | undefined) =>
    values && values.length > 0 ? { [key]: JSON.stringify(values) } : {};
  const attrs = {
    'local.session': options.session,
    'local.sharedkeyhint': options.sharedKeyHint,
    ...list('local.followpaths', options.followPaths),
    ...list('local.excludepatterns', options.exclude),
    ...(options.isMetadata ? { 'local.differ': 'none' } : {}),
  };
  return sourceOp(`local://${local}`, attrs, { name: options.name });
}
