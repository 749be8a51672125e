import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, must, type Peer } from './peers.ts';

export interface Mark {
  readonly factor: number;
  readonly peer: 'buildctl' | 'buildx' | 'docker';
  readonly of?: string;
}

/** One thing that is measured: made ready, then timed a number of times. */
export interface Case {
  readonly id: string;
  readonly title: string;
  /** What a peer's figure is multiplied with for our mark; with the peer's case, when it is another one. */
  readonly mark?: Mark | { readonly milliseconds: number };
  readonly runs: number;
  /** Measured once, in a store that has not seen it. */
  readonly cold?: boolean;
  /** Before the first run of each peer, and after its last; not timed. */
  readonly setUp?: (peer: Peer) => void;
  readonly cleanUp?: (peer: Peer) => void;
  /** Before each timed run; not timed. */
  readonly prepare?: (peer: Peer, run: number) => void;
  /** Undefined where a peer cannot do it. */
  readonly command: (peer: Peer) => readonly string[] | undefined;
}

const example = fileURLToPath(new URL('../examples/01_ping_app', import.meta.url));
const smallFiles = 20_000;
const largeFiles = 200;

/** Bytes that do not compress and are the same each time. */
function noise(seed: string, size: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 64) }, (_, i) =>
    createHash('sha512').update(`${seed} ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

/** 200 lines of every common kind, with nothing to warn of. */
function longDockerfile(base: string): string {
  const lines = (i: number) => [
    `# step ${i}`,
    `ENV NAME_${i}=value`,
    `LABEL step.${i}="$NAME_${i}"`,
    `COPY file-${i} /files/`,
    `RUN echo ${i} && true | cat`,
  ];
  const body = Array.from({ length: 39 }, (_, i) => lines(i)).flat();
  return [`FROM ${base} AS first`, 'WORKDIR /work', ...body, 'FROM first', 'CMD ["true"]', ''].join('\n');
}

/** Writes the contexts below a directory and answers the cases over them; `base` is an image that all peers can pull. */
export function createCases(directory: string, base: string): Case[] {
  const web = join(directory, 'web');
  cpSync(example, web, { recursive: true });
  writeFileSync(
    join(web, 'Dockerfile'),
    `FROM ${base}\nENV TARGET="ltfe.org"\nENV METHOD="HEAD"\nENV INTERVAL="3000"\nWORKDIR /web-ping\nCOPY app.js .\nCMD ["node", "/web-ping/app.js"]\n`,
  );
  const files = join(directory, 'files');
  for (let i = 0; i < smallFiles; i++) {
    const place = join(files, 'data', `d${i % 200}`);
    if (i < 200) mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `f${i}`), noise(`small ${i}`, 4000 + (i % 200)));
  }
  const block = noise('large', 1 << 20);
  for (let i = 0; i < largeFiles; i++) {
    block.writeUInt32LE(i, 0);
    writeFileSync(join(files, 'data', `big${i}`), block);
  }
  writeFileSync(join(files, 'Dockerfile'), `FROM ${base}\nCOPY data /data\n`);
  const steps = join(directory, 'steps');
  mkdirSync(steps);
  writeFileSync(
    join(steps, 'Dockerfile'),
    `FROM ${base}\n${Array.from({ length: 20 }, (_, i) => `RUN true ${i}\n`).join('')}`,
  );
  const stages = Array.from({ length: 8 }, (_, i) => `FROM ${base} AS s${i}\nRUN sleep 1 && echo ${i} > /s${i}\n`);
  const copies = Array.from({ length: 8 }, (_, i) => `COPY --from=s${i} /s${i} /\n`);
  writeFileSync(join(steps, 'parallel'), `${stages.join('')}FROM ${base}\n${copies.join('')}`);

  const checked = join(directory, 'checked');
  mkdirSync(checked);
  writeFileSync(join(checked, 'Dockerfile'), longDockerfile(base));

  const build = (context: string, options: BuildOptions) => (peer: Peer) => peer.build(context, options);
  let edits = 0;
  const edit = (file: string) => () => appendFileSync(file, `// ${++edits}\n`);
  const app = join(web, 'app.js');
  const one = join(files, 'data/d1/f1');
  return [
    {
      id: 'A',
      title: 'no-op rebuild of 7 steps',
      runs: 9,
      mark: { factor: 1.2, peer: 'buildx' },
      command: build(web, { image: true }),
    },
    {
      id: 'B',
      title: 'rebuild after one byte changed',
      runs: 9,
      mark: { factor: 1.2, peer: 'buildx' },
      prepare: edit(app),
      command: build(web, { image: true }),
    },
    {
      id: 'C1',
      title: '20,000 files, cold, into an image',
      runs: 1,
      cold: true,
      mark: { factor: 0.5, peer: 'buildctl' },
      command: build(files, { image: true }),
    },
    { id: 'C2', title: '… no-op', runs: 3, command: build(files, { image: true }) },
    {
      id: 'C3',
      title: '… one file edited, cache only',
      runs: 3,
      mark: { factor: 0.5, peer: 'buildctl' },
      prepare: edit(one),
      command: build(files, { image: false }),
    },
    {
      id: 'C4',
      title: '… one file edited, into an image',
      runs: 1,
      mark: { factor: 0.5, peer: 'buildctl', of: 'C3' },
      prepare: edit(one),
      command: build(files, { image: true }),
    },
    {
      id: 'D1',
      title: '20 × RUN true, cold',
      runs: 3,
      mark: { factor: 0.7, peer: 'buildctl' },
      command: build(steps, { image: true, noCache: true }),
    },
    {
      id: 'D2',
      title: '8 parallel RUN sleep 1',
      runs: 3,
      mark: { factor: 0.7, peer: 'buildctl' },
      command: build(steps, { file: 'parallel', image: true, noCache: true }),
    },
    { id: 'E', title: '--version', runs: 15, mark: { milliseconds: 45 }, command: (peer) => peer.version() },
    {
      id: 'F',
      title: '--check of 200 lines',
      runs: 9,
      mark: { milliseconds: 100 },
      command: (peer) => peer.check?.(checked),
    },
    ...containerCases(base),
  ];
}

function containerCases(base: string): Case[] {
  const container =
    (...words: string[]) =>
    (peer: Peer) =>
      peer.container?.(...words);
  const does =
    (...words: string[]) =>
    (peer: Peer) =>
      void must(peer.container?.(...words) ?? []);
  const name = 'slipway-bench';
  const remove = does('rm', '--force', '--volumes', name);
  return [
    {
      id: 'G',
      title: 'run --rm IMAGE true',
      runs: 9,
      mark: { factor: 0.6, peer: 'docker' },
      setUp: does('pull', '--quiet', base),
      command: container('run', '--rm', base, 'true'),
    },
    {
      id: 'H',
      title: 'exec',
      runs: 9,
      mark: { factor: 0.6, peer: 'docker' },
      setUp: does('run', '--detach', '--name', name, base, 'sleep', '1000'),
      command: container('exec', name, 'true'),
      cleanUp: remove,
    },
    {
      id: 'I',
      title: 'logs of 1 GB',
      runs: 3,
      mark: { factor: 0.7, peer: 'docker' },
      setUp: (peer) => {
        does('run', '--detach', '--name', name, base, 'sh', '-c', gigabyteOfLines)(peer);
        does('wait', name)(peer);
      },
      command: container('logs', name),
      cleanUp: remove,
    },
  ];
}

/** 100 bytes each. */
const gigabyteOfLines = `yes '${'0123456789'.repeat(10).slice(1)}' | head -n 10000000`;
