/**
 * Lint, types, bundle, then every test file, each in a process of its own. Prints each failure as it comes and, at the end, what passed,
 * failed and was skipped, and why. A file that failed is run once more, alone: what passes then is reported as flaky, so
 * that a busy machine is told from a broken build, and the flake is still seen.
 * Usage: node scripts/test.ts [path part…] to run only the files whose path contains one of the words.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);

interface Outcome {
  passed: number;
  readonly failed: { readonly file: string; readonly name: string; readonly error: unknown }[];
  readonly skipped: { readonly name: string; readonly reason: string }[];
}

function step(title: string, command: string, ...args: string[]): void {
  const started = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${title}: failed`);
    process.exit(1);
  }
  console.log(`${title}: fine (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** The failure that caused it; node:test wraps what a test threw. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

async function runFiles(files: readonly string[], concurrency: number): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: [], skipped: [] };
  const stream = run({
    files: [...files],
    concurrency,
    timeout: 240_000,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  for await (const { type, data } of stream) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const file = (data.file ?? '').replace(root, '');
    const isSuite = data.details.type === 'suite';
    if (type === 'test:fail') {
      const cause = causeOf(data.details.error);
      // A suite or file fails because of its tests; those have been reported.
      if (typeof cause === 'string' && /subtests? failed/.test(cause)) continue;
      outcome.failed.push({ file, name: data.name, error: cause });
      console.log(`  FAILED ${file}: ${data.name}\n    ${inspect(cause).replaceAll('\n', '\n    ')}`);
    } else if (data.skip !== undefined && data.skip !== false) {
      outcome.skipped.push({ name: `${file}: ${data.name}`, reason: typeof data.skip === 'string' ? data.skip : '' });
    } else if (!isSuite) outcome.passed++;
  }
  return outcome;
}

if (wanted.length === 0) {
  step('lint', 'biome', 'check', '--error-on-warnings', '.');
  step('types', 'tsc');
}
step('bundle', 'node', 'scripts/build.ts');

const all = globSync('{src,test,scripts,bench}/**/*.test.ts', { cwd: root }).toSorted();
// The long ones first, so that none of them is alone at the end.
const files = all
  .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)))
  .toSorted((a, b) => Number(b.includes('e2e')) - Number(a.includes('e2e')))
  .map((file) => `${root}${file}`);

const outcome = await runFiles(files, availableParallelism() + 1);
const failedFiles = [...new Set(outcome.failed.map((failure) => `${root}${failure.file}`))];
let failed = outcome.failed.length;
let passed = outcome.passed;
if (failedFiles.length > 0 && failedFiles.length <= 5) {
  console.log(`\nOnce more, one at a time: ${failedFiles.map((file) => file.replace(root, '')).join(', ')}`);
  const again = await runFiles(failedFiles, 1);
  const still = new Set(again.failed.map((failure) => `${failure.file}: ${failure.name}`));
  for (const failure of outcome.failed) {
    if (still.has(`${failure.file}: ${failure.name}`)) continue;
    console.log(`FLAKY ${failure.file}: ${failure.name} (passed the second time)`);
  }
  passed += Math.max(0, failed - again.failed.length);
  failed = again.failed.length;
}
for (const { name, reason } of outcome.skipped) console.log(`SKIPPED ${name}: ${reason || 'no reason given'}`);
console.log(`${passed} passed, ${failed} failed, ${outcome.skipped.length} skipped`);
process.exit(failed === 0 ? 0 : 1);
