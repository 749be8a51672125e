/** Bundles the command line, the daemon and their helper processes into dist/, each command a chunk of its own. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Files that start as a program, a process or a worker of their own; the others reach them by their place beside the bundle. */
const entryPoints = {
  slipway: 'src/cli/main.ts',
  'bulk-worker': 'src/snapshot/bulk-worker.ts',
  'layer-tar-worker': 'src/image/layer-tar-worker.ts',
  spawner: 'src/runtime/spawner.ts',
};

// Made aside and swapped in, so that what runs meanwhile finds the old bundle or the new one.
const aside = `${root}dist.${process.pid}`;
await build({
  absWorkingDir: root,
  entryPoints,
  outdir: aside,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  external: ['koffi'],
  // CommonJS dependencies inside an ES module still ask for `require`.
  banner: {
    js: "import { createRequire as slipwayRequire } from 'node:module'; const require = slipwayRequire(import.meta.url);",
  },
});
if (existsSync(`${root}dist`)) renameSync(`${root}dist`, `${aside}.old`);
renameSync(aside, `${root}dist`);
rmSync(`${aside}.old`, { recursive: true, force: true });
