import type { DiffOp, MergeOp } from '../api/gen/ops_pb.js';
import { digestOf } from '../base/digest.ts';
import type { LayerId, Stack } from '../snapshot/snapshots.ts';
import type { Op } from '../solver/op.ts';
import { holdRef, type Ref, stackOf } from './ref.ts';
import type { WorkerServices } from './worker-services.ts';

/** Puts states on top of each other: their layers, one list after the other. */
export function createMergeOp(merge: MergeOp, services: WorkerServices): Op<Ref> {
  return {
    cacheMap: async () => ({
      digest: digestOf(`merge ${merge.inputs.map(({ input }) => input).join()}`),
      inputs: merge.inputs.map(() => ({})),
    }),
    run: async (inputs, context) => {
      const stacks: Stack[] = [];
      for (const { input } of merge.inputs) {
        const ref = inputs[Number(input)];
        if (input >= 0n && ref) stacks.push(await stackOf(ref, context.signal));
      }
      // The same layer twice shows the same as its upper one alone; overlayfs refuses doubles.
      const layers = stacks.flat();
      const stack = layers.filter((layer, i) => layers.lastIndexOf(layer) === i);
      return [holdRef(services.snapshots, { kind: 'layers', stack })];
    },
  };
}

/** What the upper state adds to the lower: the layers above the common ones. */
export function createDiffOp(diff: DiffOp, services: WorkerServices): Op<Ref> {
  return {
    cacheMap: async () => ({
      digest: digestOf(`diff ${diff.lower?.input ?? -1n} ${diff.upper?.input ?? -1n}`),
      inputs: [diff.lower?.input ?? -1n, diff.upper?.input ?? -1n].filter((input) => input >= 0n).map(() => ({})),
    }),
    run: async (inputs, context) => {
      const stackAt = async (input: bigint | undefined): Promise<Stack> => {
        const ref = input === undefined || input < 0n ? undefined : inputs[Number(input)];
        return ref ? stackOf(ref, context.signal) : [];
      };
      const lower = await stackAt(diff.lower?.input);
      const upper = await stackAt(diff.upper?.input);
      return [holdRef(services.snapshots, { kind: 'layers', stack: above(lower, upper) })];
    },
  };
}

function above(lower: Stack, upper: Stack): readonly LayerId[] {
  let common = 0;
  while (common < lower.length && lower[common] === upper[common]) common++;
  return upper.slice(common);
}
