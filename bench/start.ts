/** Starts the measurements in a network of their own: what engines leave in the firewall, and their bridges, end with it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const { status } = spawnSync(
  'unshare',
  ['--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', process.execPath, main, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;
