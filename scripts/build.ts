/**
 * Bundles Slipway into dist/. The command line is one CommonJS file, which Node loads faster than a graph of ES modules; commands inside
 * it are still evaluated only when they run. The daemon and its helper processes are ES modules that share chunks.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Made aside and swapped in, so that what runs meanwhile finds the old bundle or the new one.
const aside = `${root}dist.${process.pid}`;

const common: BuildOptions = {
  absWorkingDir: root,
  outdir: aside,
  bundle: true,
  platform: 'node',
  target: 'node24',
  minify: true,
  keepNames: true,
  legalComments: 'none',
};

/** Imports of these sources become imports of the bundles that they are in. */
function elsewhere(bundles: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'elsewhere',
    setup(bundle) {
      for (const [source, path] of Object.entries(bundles)) {
        const filter = new RegExp(`/${source.replaceAll('.', '\\.')}$`);
        bundle.onResolve({ filter }, () => ({ path, external: true }));
      }
    },
  };
}

const commonJs: BuildOptions = {
  ...common,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  external: ['koffi'],
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

await Promise.all([
  build({ ...commonJs, entryPoints: { slipway: 'src/cli/bundle-main.ts' }, banner: {} }),
  build({
    ...commonJs,
    entryPoints: { 'command-line': 'src/cli/command-line.ts' },
    plugins: [elsewhere({ 'daemon-process.ts': './daemon.js' })],
  }),
  build({
    ...common,
    // Files that start as a program, a process or a worker of their own; the others reach them by their place beside the bundle.
    entryPoints: {
      daemon: 'src/cli/daemon-process.ts',
      'bulk-worker': 'src/snapshot/bulk-worker.ts',
      'layer-tar-worker': 'src/image/layer-tar-worker.ts',
      'files-worker': 'src/container/files/files-worker.ts',
      spawner: 'src/runtime/spawner.ts',
    },
    splitting: true,
    format: 'esm',
    external: ['koffi'],
    // CommonJS dependencies inside an ES module still ask for `require`.
    banner: {
      js: "import { createRequire as slipwayRequire } from 'node:module'; const require = slipwayRequire(import.meta.url);",
    },
  }),
]);
if (existsSync(`${root}dist`)) renameSync(`${root}dist`, `${aside}.old`);
renameSync(aside, `${root}dist`);
rmSync(`${aside}.old`, { recursive: true, force: true });
