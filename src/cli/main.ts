import { runCommandLine } from './command-line.ts';

// The program from its sources; `bundle-main.ts` is the one that ships.
process.exitCode = await runCommandLine();
