import type { HistoryEntry } from '../oci/image-config.ts';
import type { ExportServices, ExportTarget } from './exporter.ts';

/**
 * `--squash`, as docker's classic builder has it: all layers of this build as one on top of the base image's. The history keeps its lines,
 * which then have no layers, and ends with one that has.
 */
export async function squashTarget(
  { snapshots, bulk }: ExportServices,
  target: ExportTarget,
): Promise<ExportTarget & Disposable> {
  const [base, own] = [target.stack.slice(0, target.baseLayers), target.stack.slice(target.baseLayers)];
  if (own.length === 0) return { ...target, [Symbol.dispose]: () => {} };
  const active = snapshots.prepare(base);
  try {
    const directories = own.map((layer) => snapshots.layerDirectory(layer));
    await bulk.run('squashLayers', directories, snapshots.activeDirectory(active), base.length > 0);
    const stack = [...base, snapshots.commit(active)];
    const hold = snapshots.hold(stack);
    return { ...target, stack, config: squashedConfig(target), [Symbol.dispose]: () => hold[Symbol.dispose]() };
  } catch (error) {
    snapshots.discard(active);
    throw error;
  }
}

function squashedConfig({ config, baseLayers, epoch }: ExportTarget): ExportTarget['config'] {
  if (!config) return config;
  let layers = 0;
  const history = (config.history ?? []).map((entry): HistoryEntry => {
    if (entry.empty_layer !== true) layers++;
    return layers > baseLayers ? { ...entry, empty_layer: true } : entry;
  });
  const created = epoch === undefined ? undefined : new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
  return {
    ...config,
    history: [...history, { ...(created && { created }), created_by: '', comment: 'squash of this build' }],
  };
}
