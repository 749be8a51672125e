import type { Command } from '../command.ts';
import { boolean, list, text } from '../flags.ts';
import {
  documentFormatFlag,
  filterFlag,
  forceFlag,
  formatFlag,
  noTruncFlag,
  plainFilterFlag,
  platformFlag,
  quietFlag,
} from './shared-flags.ts';

const allTagsFlag = boolean('all-tags', 'All tags of the repository', 'a');
const platformsFlag = list('platform', 'Only these platforms, as os[/arch[/variant]]');

export const imageCommands: readonly Command[] = [
  {
    names: ['images', 'image ls', 'image list'],
    usage: '[OPTIONS] [REPOSITORY[:TAG]]',
    summary: 'List images',
    flags: [
      boolean('all', 'Also intermediate images', 'a'),
      boolean('digests', 'Also the digests'),
      filterFlag,
      formatFlag,
      noTruncFlag,
      quietFlag('Only the IDs'),
      boolean('tree', 'Taken and not used'),
    ],
    arity: [0, 1],
    load: async () => (await import('../commands/images.ts')).runImageLs,
  },
  {
    names: ['history', 'image history'],
    usage: '[OPTIONS] IMAGE',
    summary: 'Show the history of an image',
    flags: [
      formatFlag,
      boolean('human', 'Sizes and times for people (default true)', 'H'),
      noTruncFlag,
      platformFlag,
      quietFlag('Only the IDs'),
    ],
    arity: [1, 1],
    load: async () => (await import('../commands/images.ts')).runHistory,
  },
  {
    names: ['image inspect'],
    usage: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'Display detailed information on one or more images',
    flags: [documentFormatFlag, platformFlag],
    arity: [1],
    load: async () => (await import('../commands/inspect.ts')).runImageInspect,
  },
  {
    names: ['tag', 'image tag'],
    usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
    summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    flags: [],
    arity: [2, 2],
    load: async () => (await import('../commands/images.ts')).runTag,
  },
  {
    names: ['rmi', 'image rm', 'image remove'],
    usage: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'Remove one or more images',
    flags: [forceFlag('Also when it is in use'), boolean('no-prune', 'Keep parents without a name'), platformsFlag],
    arity: [1],
    load: async () => (await import('../commands/images.ts')).runRmi,
  },
  {
    names: ['image prune'],
    usage: '[OPTIONS]',
    summary: 'Remove unused images',
    flags: [
      boolean('all', 'Also images with a name that no container uses', 'a'),
      plainFilterFlag,
      forceFlag('Do not ask first'),
    ],
    arity: [0, 0],
    load: async () => (await import('../commands/prune.ts')).runImagePrune,
  },
  {
    names: ['pull', 'image pull'],
    usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
    summary: 'Download an image from a registry',
    flags: [allTagsFlag, platformFlag, quietFlag('No progress')],
    arity: [1, 1],
    load: async () => (await import('../commands/transfer.ts')).runPull,
  },
  {
    names: ['push', 'image push'],
    usage: '[OPTIONS] NAME[:TAG]',
    summary: 'Upload an image to a registry',
    flags: [allTagsFlag, platformFlag, quietFlag('No progress')],
    arity: [1, 1],
    load: async () => (await import('../commands/transfer.ts')).runPush,
  },
  {
    names: ['save', 'image save'],
    usage: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
    flags: [text('output', 'Write to a file', 'o'), platformsFlag],
    arity: [1],
    load: async () => (await import('../commands/archives.ts')).runSave,
  },
  {
    names: ['load', 'image load'],
    usage: '[OPTIONS]',
    summary: 'Load an image from a tar archive or STDIN',
    flags: [text('input', 'Read from a file', 'i'), platformsFlag, quietFlag('No progress')],
    arity: [0, 0],
    load: async () => (await import('../commands/archives.ts')).runLoad,
  },
  {
    names: ['import', 'image import'],
    usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
    summary: 'Import the contents from a tarball to create a filesystem image',
    flags: [
      list('change', 'Apply a Dockerfile instruction to the image', 'c'),
      text('message', 'Message', 'm'),
      platformFlag,
    ],
    arity: [1, 2],
    load: async () => (await import('../commands/archives.ts')).runImport,
  },
];
