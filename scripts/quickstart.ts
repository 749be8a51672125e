/** Builds the course's first example and runs it against a small web server, in a store of its own that is removed again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const slipway = join(root, 'bin/slipway');
const example = join(root, 'examples/01_ping_app');
const baseImage = 'node:20-alpine';
/** How long the registry may take to show that it is there. Milliseconds. */
const registryPatience = 20_000;
const pings = 3;

if (process.getuid?.() !== 0) {
  console.error('quickstart needs root: it mounts file systems and starts containers (sudo npm run quickstart)');
  process.exit(1);
}

function say(text: string): void {
  console.log(`\n== ${text}`);
}

/** Runs a command with what it prints shown, and stops when it fails. */
function show(command: string, args: readonly string[]): void {
  console.log(`$ ${[command === slipway ? 'slipway' : command, ...args].join(' ')}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

function hasRegistry(): boolean {
  const { status, stderr } = spawnSync(slipway, ['pull', '-q', baseImage], {
    encoding: 'utf8',
    timeout: registryPatience,
  });
  if (status !== 0)
    console.log(`The registry cannot be used from here (${stderr.trim().split('\n')[0] || 'no answer in time'}).`);
  return status === 0;
}

/** Shows the first lines of a container that would run for ever, then ends it as Ctrl-C would. */
async function watch(child: ChildProcess): Promise<void> {
  let answered = 0;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdout?.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk);
    answered += chunk.toString().split('status: 200').length - 1;
    if (answered >= pings) child.kill('SIGINT');
  });
  const timer = setTimeout(() => child.kill('SIGINT'), 60_000);
  await ended;
  clearTimeout(timer);
  if (answered < pings) throw new Error('the example did not reach the web server');
}

const store = mkdtempSync(join(tmpdir(), 'slipway-quickstart-'));
process.env.SLIPWAY_ROOT = join(store, 'root');
const server = createServer((_request, response) => response.end('hello\n'));
// Ctrl-C reaches the commands too; theirs is the failure that ends this, after cleaning up.
process.on('SIGINT', () => {});
try {
  say('Bundling bin/slipway');
  show('node', ['scripts/build.ts']);
  say(`Getting ${baseImage}`);
  const registry = hasRegistry();
  if (!registry) {
    console.log(`Making a stand-in from Debian's packages and npm's Node instead (kept in .cache/base-images).`);
    show('sh', ['scripts/base-images', '--import', baseImage]);
  }
  say('Building the first example');
  show(slipway, ['build', '-t', 'web-ping', example]);
  show(slipway, ['image', 'ls', 'w*']);
  show(slipway, ['history', 'web-ping']);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  say('Running it against a web server on this machine');
  const args = ['run', '--rm', '-e', `TARGET=http://127.0.0.1:${port}`, '-e', 'INTERVAL=200', 'web-ping'];
  console.log(`$ slipway ${args.join(' ')}`);
  await watch(spawn(slipway, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  say('It works. Try next');
  if (!registry) console.log(`  scripts/base-images --import ${baseImage}       # once, for your own store`);
  console.log(`  bin/slipway build -t web-ping examples/01_ping_app
  bin/slipway run --rm web-ping                         # until Ctrl-C
  bin/slipway --help
  npm test`);
} catch (error) {
  console.error(`\nquickstart: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  server.close();
  server.closeAllConnections();
  spawnSync(slipway, ['daemon', 'stop']);
  rmSync(store, { recursive: true, force: true });
}
