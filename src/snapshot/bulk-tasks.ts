import { createReadStream } from 'node:fs';
import { type AppliedLayer, applyLayer, extractArchive } from '../archive/apply-layer.ts';
import { digestLayer, type LayerTarOptions } from '../archive/layer-tar.ts';
import type { Digest } from '../base/digest.ts';
import { type HashOptions, readSelection } from './content-hash.ts';
import { type CopyOptions, copySelection, type Owner } from './copy-tree.ts';
import { type DigestedFile, digestFiles, listNames } from './digest-files.ts';
import type { Selection } from './select-files.ts';
import { squashLayers } from './squash-layers.ts';

/** The heavy file work, as functions over plain data: each runs in a worker thread, synchronous inside. */
export const bulkTasks = {
  readSelection: (root: string, selections: readonly Selection[], options: HashOptions) =>
    readSelection(root, selections, options),

  copySelection: (
    sourceRoot: string,
    selection: Selection,
    targetRoot: string,
    destination: string,
    options: CopyOptions,
  ): void => copySelection(sourceRoot, selection, targetRoot, destination, options),

  digestLayer: (directory: string, options: LayerTarOptions): { readonly diffId: Digest; readonly tarSize: number } =>
    digestLayer(directory, options),

  applyLayerFile: (file: string, directory: string, parents: readonly string[]): Promise<AppliedLayer> =>
    applyLayer(createReadStream(file, { highWaterMark: 1 << 20 }), directory, { parents }),

  digestFiles: (root: string): DigestedFile[] => digestFiles(root),

  listNames: (root: string): string[] => listNames(root),

  squashLayers: (layers: readonly string[], target: string, hasBase: boolean): void =>
    squashLayers(layers, target, hasBase),

  extractArchiveFile: (file: string, directory: string, owner: Owner | undefined): Promise<void> =>
    extractArchive(createReadStream(file, { highWaterMark: 1 << 20 }), directory, { owner }),
};

export type BulkTasks = typeof bulkTasks;
export type BulkTask = keyof BulkTasks;
