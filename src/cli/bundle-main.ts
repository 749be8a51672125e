import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadWithCodeCache } from './code-cache.ts';
import { slipwayVersion } from './version.ts';

// The program as it ships: the bundle of the command line beside this file, loaded with what V8 compiled of it the last time.
const [command = '', ...rest] = process.argv.slice(2);
if (rest.length === 0 && (command === '--version' || command === '-v')) {
  console.log(`Slipway version ${slipwayVersion}`);
} else {
  const bundle = join(dirname(__filename), 'command-line.cjs');
  // Help compiles little of a command, and a daemon's end is no time to write.
  const isTypical = /^[a-z]+$/.test(command) && command !== 'daemon' && !rest.includes('--help');
  const { exports, keep } = loadWithCodeCache(bundle, isTypical ? command : undefined, createRequire(bundle));
  (exports as typeof import('./command-line.ts')).runCommandLine().then((code) => {
    process.exitCode = code;
    if (code === 0) keep();
  });
}
