/** Measures Slipway beside the peers that are at hand, alternating, and prints a table of medians and ratios; JSON goes to bench/results. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Case, createCases } from './cases.ts';
import {
  createBuildah,
  createBuildkit,
  createBuildx,
  createDocker,
  createSlipway,
  find,
  must,
  type Peer,
} from './peers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Stores on a disk in memory: a real one's caches would be measured, not the builders. */
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'slipway-bench-'));

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** A registry on this machine with the base image that all peers pull. */
async function serveBase(): Promise<{ readonly name: string; stop(): void }> {
  const program = find('REGISTRY', 'docker-registry') ?? find('REGISTRY', 'registry');
  if (program === undefined)
    throw new Error('the peers need a registry on this machine: apt-get install docker-registry');
  const port = await freePort();
  const config = join(directory, 'registry.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${directory}/registry}}\nhttp: {addr: 127.0.0.1:${port}}\n`,
  );
  const server = spawn(program, ['serve', config], { stdio: 'ignore' });
  const name = `127.0.0.1:${port}/bench/busybox:latest`;
  const archive = join(root, '.cache/base-images/busybox_latest.tar');
  if (!existsSync(archive)) must(['sh', join(root, 'scripts/base-images'), 'busybox:latest']);
  const temporary = ['env', `SLIPWAY_ROOT=${join(directory, 'base')}`, join(root, 'bin/slipway')];
  must([...temporary, 'load', '-q', '-i', archive]);
  must([...temporary, 'tag', 'busybox', name]);
  must([...temporary, 'push', '-q', name]);
  must([...temporary, 'daemon', 'stop']);
  return { name, stop: () => server.kill() };
}

function time(command: readonly string[]): number {
  const [program = '', ...args] = command;
  const started = performance.now();
  const { status, stderr } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const elapsed = performance.now() - started;
  if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status}\n${stderr}`);
  return elapsed;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function ableTo(each: Case, peers: readonly Peer[]): readonly Peer[] {
  return peers.filter((peer) => each.command(peer) !== undefined);
}

/** Peers take turns, and with each run the other one goes first. */
function measure(each: Case, peers: readonly Peer[]): Map<string, number> {
  const times = new Map<string, number[]>(peers.map((peer) => [peer.name, []]));
  const able = ableTo(each, peers).filter((peer) => !(each.cold && peer.sharesStore));
  for (let run = 0; run < each.runs; run++) {
    for (const peer of run % 2 === 0 ? able : able.toReversed()) {
      each.prepare?.(peer, run);
      times.get(peer.name)?.push(time(each.command(peer) ?? []));
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

const shown = (milliseconds: number | undefined) =>
  milliseconds === undefined || Number.isNaN(milliseconds)
    ? '–'
    : milliseconds < 1000
      ? `${Math.round(milliseconds)} ms`
      : `${(milliseconds / 1000).toFixed(2)} s`;

type Results = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** The figure that a mark is about, or that of the first peer. */
function theirsOf(each: Case, results: Results): number | undefined {
  if (!each.mark || 'milliseconds' in each.mark) return results.get(each.id)?.get(others[0]?.name ?? '');
  return results.get(each.mark.of ?? each.id)?.get(each.mark.peer);
}

function markOf(each: Case): string {
  if (!each.mark) return '';
  if ('milliseconds' in each.mark) return `≤ ${each.mark.milliseconds} ms`;
  const { factor, peer, of } = each.mark;
  return `≤ ${factor} × ${peer}${of === undefined ? '' : `’s ${of}`}`;
}

must(['node', join(root, 'scripts/build.ts')]);
const base = await serveBase();
const ours = createSlipway(directory);
const buildkit = createBuildkit(directory);
const others = [
  buildkit,
  buildkit && createBuildx(directory),
  createDocker(directory),
  createBuildah(directory),
].filter((peer) => peer !== undefined);
const peers = [ours, ...others];
try {
  for (const peer of peers) await peer.start();
  console.error('writing contexts');
  const results = new Map<string, Map<string, number>>();
  const wanted = new Set(process.argv.slice(2));
  const cases = createCases(directory, base.name).filter(({ id }) => wanted.size === 0 || wanted.has(id));
  console.log(`${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}\n`);
  console.log(
    `| case | ${peers.map((peer) => peer.name).join(' | ')} | ratio | mark |\n|---|${'---|'.repeat(peers.length + 2)}`,
  );
  for (const each of cases) {
    console.error(`measuring ${each.id} ${each.title}`);
    for (const peer of ableTo(each, peers)) each.setUp?.(peer);
    // One run ahead, so that the base image is pulled and a no-op has something to repeat.
    if (each.runs > 1) for (const peer of ableTo(each, peers)) time(each.command(peer) ?? []);
    results.set(each.id, measure(each, peers));
    for (const peer of ableTo(each, peers)) each.cleanUp?.(peer);
    const figures = peers.map((peer) => shown(results.get(each.id)?.get(peer.name)));
    const own = results.get(each.id)?.get(ours.name);
    const theirs = theirsOf(each, results);
    const ratio = own !== undefined && theirs !== undefined ? (own / theirs).toFixed(2) : '';
    console.log(`| ${each.id} ${each.title} | ${figures.join(' | ')} | ${ratio} | ${markOf(each)} |`);
  }
  console.log(
    `| peak memory of the daemon | ${peers.map((peer) => `${peer.peakMemory() ?? '–'} MB`).join(' | ')} | | |`,
  );
  const place = join(root, 'bench/results');
  mkdirSync(place, { recursive: true });
  const record = Object.fromEntries([...results].map(([id, values]) => [id, Object.fromEntries(values)]));
  writeFileSync(
    join(place, `${new Date().toISOString().replaceAll(':', '-')}.json`),
    `${JSON.stringify(record, undefined, 2)}\n`,
  );
} finally {
  for (const peer of peers) await peer.stop().catch((error: unknown) => console.error(error));
  base.stop();
  rmSync(directory, { recursive: true, force: true });
}
