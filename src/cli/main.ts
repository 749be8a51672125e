import { enableCompileCache } from 'node:module';
import { slipwayVersion } from './version.ts';

// The program. Only what comes after `enableCompileCache` is loaded from the cache of compiled code.
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  console.log(`Slipway version ${slipwayVersion}`);
} else {
  enableCompileCache();
  import('./command-line.ts')
    .then(({ runCommandLine }) => runCommandLine())
    .then((code) => {
      process.exitCode = code;
    });
}
