import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { notFound, SlipwayError } from '../base/errors.ts';
import type { Selection } from '../snapshot/select-files.ts';
import type { OpContext } from '../solver/op.ts';
import { type Ref, stackOf } from './ref.ts';
import type { WorkerServices } from './worker-services.ts';

/** Content key of a part of a ref; for a directory that is read in place with the help of its stat index. */
export async function hashRef(
  services: WorkerServices,
  ref: Ref,
  selection: Selection,
  context: OpContext,
): Promise<Digest> {
  return hashRefSelections(services, ref, [selection], context);
}

export async function hashRefSelections(
  services: WorkerServices,
  ref: Ref,
  selections: readonly Selection[],
  context: OpContext,
): Promise<Digest> {
  try {
    return await readSelections(services, ref, selections, context);
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code !== 'not-found') throw error;
    // In BuildKit's words, which people search for.
    const of = ref.kind === 'directory' ? ref.indexName : ref.kind;
    throw notFound(
      `failed to compute cache key: failed to calculate checksum of ref ${of}: ${error.message}`,
      error.hint === undefined ? { cause: error } : { cause: error, hint: error.hint },
    );
  }
}

async function readSelections(
  services: WorkerServices,
  ref: Ref,
  selections: readonly Selection[],
  context: OpContext,
): Promise<Digest> {
  const listings = services.listingsDirectory;
  if (ref.kind === 'directory') {
    const options = {
      filter: ref,
      ignoreOwner: true,
      indexFile: join(services.contextsDirectory, ref.indexName),
      listings,
    };
    const filter = { include: options.filter.include, exclude: options.filter.exclude };
    const { digest, bytesRead } = await services.bulk.run('readSelection', ref.path, selections, {
      ...options,
      filter,
    });
    ref.noteRead(bytesRead);
    return digest;
  }
  using view = services.views.open(await stackOf(ref, context.signal));
  return (await services.bulk.run('readSelection', view.path, selections, { listings })).digest;
}
