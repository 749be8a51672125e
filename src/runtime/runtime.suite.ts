import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrorCode } from '../base/errors.ts';
import type {
  ContainerMount,
  ContainerSpec,
  ExecSpec,
  ExitStatus,
  ProcessIo,
  RunningProcess,
  Runtime,
} from './runtime.ts';

export interface Outcome extends ExitStatus {
  readonly stdout: string;
  readonly stderr: string;
}

const busybox = '/bin/busybox';
const applets = [
  'sh',
  'true',
  'cat',
  'ls',
  'id',
  'sleep',
  'env',
  'grep',
  'stty',
  'tty',
  'touch',
  'mkdir',
  'mknod',
  'rm',
  'mv',
  'ln',
  'dd',
  'wc',
  'pwd',
  'hostname',
  'ip',
  'kill',
  'chroot',
  'readlink',
  'mount',
  'unshare',
  'sync',
  'head',
];

/** Why a container cannot be tried here, or false. */
export function cannotRun(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync(busybox)) return 'needs a static busybox';
  return false;
}

/** A scratch directory with an image in it; helps to start one-off containers. */
export class RuntimeFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'runtime-'));
  readonly image = join(this.directory, 'image');
  runtime: Runtime | undefined;
  #ids = 0;

  constructor() {
    mkdirSync(join(this.image, 'bin'), { recursive: true });
    mkdirSync(join(this.image, 'tmp'), { mode: 0o1777 });
    copyFileSync(busybox, join(this.image, 'bin/busybox'));
    for (const name of applets) symlinkSync('busybox', join(this.image, 'bin', name));
  }

  spec(args: readonly string[], extra: Partial<ContainerSpec> = {}): ContainerSpec {
    return {
      id: `test-${process.pid}-${this.#ids++}`,
      rootfs: [{ type: 'bind', source: this.image, options: ['rbind'] }],
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      user: { uid: 0, gid: 0 },
      mounts: [],
      network: 'none',
      ...extra,
    };
  }

  start(spec: ContainerSpec, io: Partial<ProcessIo> = {}, signal?: AbortSignal): Promise<RunningProcess> {
    assert.ok(this.runtime);
    return this.runtime.start(spec, { stdout: () => {}, stderr: () => {}, ...io }, signal ? { signal } : {});
  }

  async run(
    args: readonly string[],
    extra: Partial<ContainerSpec> = {},
    io: Partial<ProcessIo> = {},
  ): Promise<Outcome> {
    return outcomeOf((output) => this.start(this.spec(args, extra), { ...output, ...io }));
  }

  /** A further process, to its end. */
  exec(
    container: string,
    args: readonly string[],
    extra: Partial<ExecSpec> = {},
    io: Partial<ProcessIo> = {},
  ): Promise<Outcome> {
    const { runtime } = this;
    assert.ok(runtime);
    const spec: ExecSpec = {
      id: `exec-${this.#ids++}`,
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      user: { uid: 0, gid: 0 },
      ...extra,
    };
    return outcomeOf((output) => runtime.exec(container, spec, { ...output, ...io }));
  }

  sh(script: string, extra: Partial<ContainerSpec> = {}, io: Partial<ProcessIo> = {}): Promise<Outcome> {
    return this.run(['sh', '-c', script], extra, io);
  }

  /** A directory of the host beside the image. */
  hostDirectory(name: string, files: Readonly<Record<string, string>> = {}): string {
    const path = join(this.directory, name);
    mkdirSync(path, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
    return path;
  }

  bind(source: string, target: string, extra: Partial<ContainerMount> = {}): ContainerMount {
    return { type: 'bind', source, options: ['rbind'], target, ...extra };
  }

  /** Nothing may be mounted, running or on disk for a container that is gone. */
  assertClean(): void {
    assert.deepEqual(mountsBelow(join(this.directory, 'run')), []);
    for (const place of ['run/bundles', 'run/exec'])
      assert.deepEqual(existsSync(join(this.directory, place)) ? readdirSync(join(this.directory, place)) : [], []);
    assert.deepEqual(processesWith(`test-${process.pid}-`), []);
  }

  async close(): Promise<void> {
    await this.runtime?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function outcomeOf(start: (io: ProcessIo) => Promise<RunningProcess>): Promise<Outcome> {
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const running = await start({
    stdout: (chunk) => void stdout.push(chunk),
    stderr: (chunk) => void stderr.push(chunk),
  });
  const status = await running.exited;
  return { ...status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

function mountsBelow(directory: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(`${directory}/`));
}

export function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words.includes(text) ? [words] : [];
      } catch {
        return [];
      }
    });
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    assert.ok(i < 3000, `waited in vain: ${what}`);
    await sleep(10);
  }
}

/** What every runtime owes, whatever program stands behind it. */
export function runtimeSuite(
  name: string,
  open: (runDirectory: string) => Promise<Runtime>,
  skip: string | false,
): void {
  suite(`runtime ${name}`, { skip }, () => {
    let fixture: RuntimeFixture;
    before(async () => {
      fixture = new RuntimeFixture();
      fixture.runtime = await open(join(fixture.directory, 'run'));
    });
    after(() => fixture.close());

    processTests(() => fixture);
    endTests(() => fixture);
    execTests(() => fixture);
    confinementTests(() => fixture);
    mountTests(() => fixture);
  });
}

function processTests(use: () => RuntimeFixture): void {
  test('output, exit code and environment are exactly those of the process', async () => {
    const { code, stdout, stderr } = await use().sh('echo out; echo err >&2; pwd; env; exit 7', {
      env: ['PATH=/bin', 'NAME=a b=c', 'EMPTY='],
      cwd: '/tmp',
    });
    assert.equal(code, 7);
    assert.equal(stderr, 'err\n');
    assert.ok(stdout.startsWith('out\n/tmp\n'), stdout);
    assert.deepEqual(
      new Set(
        stdout
          .trim()
          .split('\n')
          .slice(2)
          .filter((line) => !/^(PWD|SHLVL|HOME|_)=/.test(line)),
      ),
      new Set(['PATH=/bin', 'NAME=a b=c', 'EMPTY=']),
    );
    use().assertClean();
  });

  test('CVE-2021-3602: nothing of the host’s environment or descriptors is seen inside', async () => {
    process.env.SLIPWAY_TEST_TOKEN = 'canary';
    const { stdout } = await use().sh('env; ls /proc/self/fd; ls /proc/1/fd');
    assert.doesNotMatch(stdout, /canary|NODE_CHANNEL/);
    const numbers = stdout
      .split('\n')
      .filter((line) => /^\d+$/.test(line))
      .map(Number);
    assert.ok(Math.max(...numbers) <= 3, stdout);
  });

  test('input arrives whole and ends', async () => {
    const chunk = Buffer.alloc(100_000, 'x');
    async function* input() {
      for (let i = 0; i < 20; i++) yield chunk;
    }
    const { stdout } = await use().run(['wc', '-c'], {}, { stdin: input() });
    assert.equal(stdout.trim(), '2000000');
  });

  test('a process that does not read its input ends all the same', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(65536);
    }
    assert.equal((await use().run(['true'], {}, { stdin: endless() })).code, 0);
  });

  test('without input, standard input is /dev/null', async () => {
    assert.equal((await use().run(['cat'])).stdout, '');
  });

  test('output is lossless when its receiver is slow, and holds the process back', async () => {
    let total = 0;
    const stdout = async (piece: Uint8Array) => {
      total += piece.length;
      await sleep(1);
    };
    assert.equal((await use().sh('dd if=/dev/zero bs=1000 count=3000 2>/dev/null', {}, { stdout })).code, 0);
    assert.equal(total, 3_000_000);
  });

  test('a missing executable is not-found, a directory or plain file permission-denied', async () => {
    const fixture = use();
    writeFileSync(join(fixture.image, 'plain'), 'text', { mode: 0o644 });
    await assert.rejects(fixture.run(['missing']), (error) => isErrorCode(error, 'not-found'));
    await assert.rejects(fixture.run(['/no/such']), (error) => isErrorCode(error, 'not-found'));
    await assert.rejects(fixture.run(['/plain']), (error) => isErrorCode(error, 'permission-denied'));
    await assert.rejects(fixture.run(['/tmp']), (error) => isErrorCode(error, 'permission-denied'));
    rmSync(join(fixture.image, 'plain'));
    fixture.assertClean();
  });

  test('user, groups and host name are those asked for', async () => {
    const { stdout } = await use().sh('id -u; id -g; id -G; hostname', {
      user: { uid: 1234, gid: 2345, additionalGids: [3456] },
      hostname: 'some-host',
    });
    const [uid, gid, groups = '', hostname] = stdout.split('\n');
    assert.deepEqual([uid, gid, hostname], ['1234', '2345', 'some-host']);
    assert.deepEqual(new Set(groups.split(' ')), new Set(['2345', '3456']));
  });

  test('a user who is not root may write to /dev/stdout and /dev/stderr', async () => {
    const { stdout, stderr } = await use().sh('echo a > /dev/stdout; echo b > /dev/stderr', {
      user: { uid: 7, gid: 7 },
    });
    assert.deepEqual([stdout, stderr], ['a\n', 'b\n']);
  });

  test('a terminal has its size, takes input and is one stream', async () => {
    const fixture = use();
    let seen = '';
    const held = Promise.withResolvers<void>();
    async function* input() {
      // What is typed is echoed at once, also into the middle of output.
      await until(() => /tty|pts|console/.test(seen), 'the first output');
      yield Buffer.from('word\n');
      await held.promise;
    }
    const running = await fixture.start(
      fixture.spec(
        [
          'sh',
          '-c',
          'stty size; tty; read x; echo got-$x; while [ "$(stty size)" != "44 55" ]; do sleep 0.05; done; echo resized',
        ],
        {
          terminal: { rows: 22, columns: 33 },
        },
      ),
      {
        stdin: input(),
        stdout: (chunk) => {
          seen += Buffer.from(chunk).toString();
        },
      },
    );
    await until(() => seen.includes('got-word'), 'the input to come back');
    running.resize(44, 55);
    const { code } = await running.exited;
    held.resolve();
    assert.equal(code, 0);
    assert.match(seen, /22 33\r\n\/dev\/(pts\/0|console)\r\n/);
    assert.match(seen, /resized\r\n/);
    fixture.assertClean();
  });

  test('the exit code of a process with a terminal is known', async () => {
    assert.equal((await use().sh('exit 9', { terminal: { rows: 1, columns: 1 } })).code, 9);
  });
}

function execTests(use: () => RuntimeFixture): void {
  async function* words(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('words');
  }

  test('a further process has its own user, directory, environment and exit code, and the container goes on', async () => {
    const fixture = use();
    const spec = fixture.spec(['sleep', '1000']);
    const running = await fixture.start(spec);
    const outcome = await fixture.exec(
      spec.id,
      ['sh', '-c', 'id -u; id -g; pwd; echo $GREETING; echo err >&2; exit 7'],
      {
        env: ['PATH=/bin', 'GREETING=hello'],
        cwd: '/tmp',
        user: { uid: 1234, gid: 5 },
      },
    );
    assert.deepEqual(outcome, { code: 7, outOfMemory: false, stdout: '1234\n5\n/tmp\nhello\n', stderr: 'err\n' });
    assert.equal((await fixture.exec(spec.id, ['cat'], {}, { stdin: words() })).stdout, 'words');
    assert.match((await fixture.exec(spec.id, ['tty'], { terminal: { rows: 1, columns: 9 } })).stdout, /pts|console/);
    await running.kill('SIGKILL');
    assert.equal((await running.exited).code, 137);
    await assert.rejects(fixture.exec(spec.id, ['true']), (error) => isErrorCode(error, 'failed-precondition'));
    fixture.assertClean();
  });

  test('a further process that cannot be started says why', async () => {
    const fixture = use();
    const spec = fixture.spec(['sleep', '1000']);
    const running = await fixture.start(spec);
    await assert.rejects(fixture.exec(spec.id, ['nosuch']), (error) => isErrorCode(error, 'not-found'));
    await assert.rejects(fixture.exec(spec.id, ['/tmp']), (error) => isErrorCode(error, 'permission-denied'));
    await running.kill('SIGKILL');
    await running.exited;
    fixture.assertClean();
  });

  test('a container ends although a further process was left in it, and after failed ones', async () => {
    const fixture = use();
    const spec = fixture.spec(['sleep', '1000']);
    const running = await fixture.start(spec);
    await fixture.exec(spec.id, ['true'], { terminal: { rows: 1, columns: 9 } });
    await assert.rejects(fixture.exec(spec.id, ['nosuch']));
    const left = fixture.exec(spec.id, ['sh', '-c', 'sleep 76543 & sleep 76543']);
    await until(() => processesWith('sleep 76543').length > 0, 'the process to be left');
    await running.kill('SIGKILL');
    assert.equal((await running.exited).code, 137);
    assert.equal((await left).code, 137);
    assert.deepEqual(processesWith('sleep 76543'), []);
    fixture.assertClean();
  });
}

function endTests(use: () => RuntimeFixture): void {
  test('a signal ends the process with 128 and its number', async () => {
    const fixture = use();
    let seen = '';
    const running = await fixture.start(
      fixture.spec(['sh', '-c', 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done']),
      {
        stdout: (chunk) => {
          seen += Buffer.from(chunk).toString();
        },
      },
    );
    await until(() => seen !== '', 'the trap to be set');
    await running.kill('SIGTERM');
    assert.equal((await running.exited).code, 42);
    const other = await fixture.start(fixture.spec(['sleep', '1000']));
    await other.kill('SIGKILL');
    assert.equal((await other.exited).code, 137);
    await other.kill('SIGTERM');
    fixture.assertClean();
  });

  test('children that outlive the first process are killed, and do not hold the output open', async () => {
    const fixture = use();
    const { code } = await fixture.sh('sleep 98765 & (trap "" HUP; sleep 98765) & exit 0');
    assert.equal(code, 0);
    assert.deepEqual(processesWith('sleep 98765'), []);
    fixture.assertClean();
  });

  test('aborting kills the whole container, at any moment of its start', async () => {
    const fixture = use();
    for (const wait of [0, 1, 5, 10, 20, 40]) {
      const abort = new AbortController();
      const started = fixture.start(fixture.spec(['sh', '-c', 'sleep 87654 & sleep 87654']), {}, abort.signal);
      await sleep(wait);
      abort.abort(new Error('enough'));
      await started.then(
        (running) => running.exited,
        (error) => assert.match(String(error), /enough/),
      );
      assert.deepEqual(processesWith('sleep 87654'), []);
      fixture.assertClean();
    }
  });

  test('a receiver that throws ends the container', async () => {
    const stdout = () => {
      throw new Error('full');
    };
    await assert.rejects(use().sh('echo x; sleep 1000', {}, { stdout }), /full/);
    use().assertClean();
  });

  test('an id in use is refused, and the first container goes on', async () => {
    const fixture = use();
    const spec = fixture.spec(['cat']);
    const held = Promise.withResolvers<void>();
    async function* input() {
      await held.promise;
      yield Buffer.from('still here');
    }
    let seen = '';
    const running = await fixture.start(spec, {
      stdin: input(),
      stdout: (chunk) => {
        seen += Buffer.from(chunk).toString();
      },
    });
    await assert.rejects(fixture.start(spec), (error) => isErrorCode(error, 'already-exists'));
    held.resolve();
    assert.equal((await running.exited).code, 0);
    assert.equal(seen, 'still here');
    fixture.assertClean();
  });

  test('ids that are no plain names are refused', async () => {
    const fixture = use();
    for (const id of ['', '../x', 'a/b', '-x', 'a\nb']) {
      await assert.rejects(fixture.run(['true'], { id }), (error) => isErrorCode(error, 'invalid-argument'));
    }
  });
}

const dockerCapabilities = 0xa80425fb;

function confinementTests(use: () => RuntimeFixture): void {
  test('CVE-2022-24769: docker’s capabilities at most, and none inheritable or ambient', async () => {
    const { stdout } = await use().run(['grep', '-E', 'Cap|Seccomp:|NoNewPrivs', '/proc/self/status']);
    const value = (name: string) =>
      Number.parseInt(new RegExp(`${name}:\\s*(\\w+)`).exec(stdout)?.[1] ?? 'missing', 16);
    assert.deepEqual([value('CapInh'), value('CapAmb'), value('Seccomp'), value('NoNewPrivs')], [0, 0, 2, 0]);
    for (const set of ['CapBnd', 'CapEff', 'CapPrm']) {
      // Without CAP_MKNOD where the host cannot filter devices.
      assert.equal((value(set) | (1 << 27)) >>> 0, dockerCapabilities, set);
    }
    const user = await use().run(['grep', 'CapEff', '/proc/self/status'], { user: { uid: 1, gid: 1 } });
    assert.match(user.stdout, /:\s*0+\n/);
  });

  test('privileged has no filter and all capabilities of the daemon; no new privileges when asked', async () => {
    const { stdout } = await use().run(['grep', '-E', 'CapEff|Seccomp:|NoNewPrivs', '/proc/self/status'], {
      privileged: true,
      noNewPrivileges: true,
    });
    const own = /CapEff:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    assert.match(stdout, new RegExp(`CapEff:\\s*${own}`));
    assert.match(stdout, /Seccomp:\s*0/);
    assert.match(stdout, /NoNewPrivs:\s*1/);
  });

  test('system calls outside docker’s list fail', async () => {
    const { stdout, code } = await use().sh('unshare -U true 2>&1; unshare -m true 2>&1; mount -t tmpfs x /tmp 2>&1');
    assert.notEqual(code, 0);
    assert.equal(stdout.match(/not permitted|denied/gi)?.length, 3, stdout);
  });

  test('CVE-2025-31133: kernel memory, triggers and settings are out of reach', async () => {
    const { stdout } = await use().sh(
      'cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | head -c 9 | wc -c; ls /sys/firmware 2>/dev/null | wc -l; for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /sys/kernel/uevent_helper; do (echo x > $f) 2>/dev/null && echo WROTE $f; done; echo end',
    );
    assert.deepEqual(stdout.split(/\s+/), ['0', '0', 'end', '']);
  });

  test('the devices are those of docker, and others cannot be used', async () => {
    const { stdout } = await use().sh(
      'ls /dev; mknod /tmp/disk b 259 0 2>/dev/null; head -c 1 /tmp/disk >/dev/null 2>&1 && echo READ; rm -f /tmp/disk',
    );
    const expected = [
      'core',
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ];
    assert.deepEqual(
      stdout
        .trim()
        .split(/\s+/)
        .filter((name) => name !== 'core' && name !== 'console'),
      expected.slice(1),
    );
  });

  test('network none has loopback only, and no name servers', async () => {
    const { stdout } = await use().sh('ls /sys/class/net; cat /etc/resolv.conf');
    assert.deepEqual(
      stdout
        .trim()
        .split(/\s+/)
        .filter((name) => !/^(sit|tunl|gre|ip6|erspan|ip_vti|bonding|dummy)/.test(name)),
      ['lo'],
    );
  });

  test('only the container’s processes are seen', async () => {
    const { stdout } = await use().sh('ls /proc | grep -E "^[0-9]+$" | wc -l');
    assert.ok(Number(stdout) <= 5, stdout);
  });

  test('extra hosts stand in /etc/hosts', async () => {
    const { stdout } = await use().run(['cat', '/etc/hosts'], { extraHosts: ['db:10.0.0.1', 'six:fe80::1'] });
    assert.match(stdout, /^10\.0\.0\.1\tdb$/m);
    assert.match(stdout, /^fe80::1\tsix$/m);
    await assert.rejects(use().run(['true'], { extraHosts: ['evil:1.2.3.4\n5.6.7.8 x'] }), /cannot add host/);
  });
}

function mountTests(use: () => RuntimeFixture): void {
  test('binds, tmpfs, files, selectors and read-only do as they say', async () => {
    const fixture = use();
    const source = fixture.hostDirectory('source', { file: 'content' });
    mkdirSync(join(source, 'sub'));
    writeFileSync(join(source, 'sub/inner'), 'inner');
    const { stdout, code } = await fixture.sh(
      'cat /m/file /new/file.txt /part/inner /dev/late/file; touch /t/x && ls /t; touch /ro/x 2>/dev/null || echo refused; echo new > /m/made',
      {
        mounts: [
          fixture.bind(source, '/m'),
          fixture.bind(join(source, 'file'), '/new/file.txt'),
          fixture.bind(source, '/part', { selector: 'sub' }),
          fixture.bind(source, '/ro', { options: ['rbind', 'ro'] }),
          fixture.bind(source, '/dev/late'),
          { type: 'tmpfs', source: 'tmpfs', options: ['size=1m'], target: '/t' },
        ],
      },
    );
    assert.equal(stdout, 'contentcontentinnercontentx\nrefused\n');
    assert.equal(code, 0);
    assert.equal(readFileSync(join(source, 'made'), 'utf8'), 'new\n');
    fixture.assertClean();
  });

  test('what was made only to be mounted on is gone afterwards, and what the process made stays', async () => {
    const fixture = use();
    const source = fixture.hostDirectory('source');
    await fixture.sh('mkdir -p /deep/kept; echo x > /etc/own', { mounts: [fixture.bind(source, '/deep/er/target')] });
    assert.deepEqual(readdirSync(fixture.image).toSorted(), ['bin', 'deep', 'etc', 'tmp']);
    assert.deepEqual(readdirSync(join(fixture.image, 'deep')), ['kept']);
    assert.deepEqual(readdirSync(join(fixture.image, 'etc')), ['own']);
    rmSync(join(fixture.image, 'deep'), { recursive: true });
    rmSync(join(fixture.image, 'etc'), { recursive: true });
    await fixture.run(['true']);
    assert.deepEqual(readdirSync(fixture.image).toSorted(), ['bin', 'tmp']);
  });

  test('CVE-2024-23652: a stub replaced by a symlink deletes nothing of the host', async () => {
    const fixture = use();
    const victim = fixture.hostDirectory('victim', {});
    writeFileSync(join(victim, 'resolv.conf'), '');
    mkdirSync(join(victim, 'target'));
    const source = fixture.hostDirectory('source');
    await fixture.sh(`mkdir /moved; mv /a /moved/a; ln -s ${victim} /a; mv /etc /moved/etc; ln -s ${victim} /etc`, {
      mounts: [fixture.bind(source, '/a/b/target')],
    });
    assert.deepEqual(readdirSync(victim).toSorted(), ['resolv.conf', 'target']);
    for (const name of ['moved', 'a', 'etc']) rmSync(join(fixture.image, name), { recursive: true, force: true });
    fixture.assertClean();
  });

  test('CVE-2024-1753, CVE-2021-30465: targets and selectors through symlinks stay inside', async () => {
    const fixture = use();
    const source = fixture.hostDirectory('source', { file: 'content' });
    const victim = fixture.hostDirectory('untouched');
    const tree = fixture.hostDirectory('tree');
    symlinkSync('/', join(tree, 'out'));
    symlinkSync('../../../../../../..', join(tree, 'up'));
    symlinkSync(victim, join(fixture.image, 'escape'));
    const { stdout } = await fixture.sh('cat /escape/x/file; ls /out; ls /up', {
      mounts: [
        fixture.bind(source, '/escape/x'),
        fixture.bind(tree, '/out', { selector: '/out' }),
        fixture.bind(tree, '/up', { selector: 'up' }),
      ],
    });
    assert.equal(stdout, 'contentout\nup\nout\nup\n');
    assert.deepEqual(readdirSync(victim), []);
    rmSync(join(fixture.image, 'escape'));
    await assert.rejects(fixture.run(['true'], { mounts: [fixture.bind(tree, '/m', { selector: 'none' })] }), (error) =>
      isErrorCode(error, 'not-found'),
    );
    fixture.assertClean();
  });

  test('CVE-2019-19921: an image whose /proc is a symlink is refused', async () => {
    const fixture = use();
    for (const name of ['proc', 'sys', 'dev']) {
      symlinkSync('/tmp', join(fixture.image, name));
      await assert.rejects(fixture.run(['true']), (error) => isErrorCode(error, 'invalid-argument'));
      rmSync(join(fixture.image, name));
    }
    fixture.assertClean();
  });

  test('CVE-2024-21626: a working directory never is one of the host', async () => {
    const fixture = use();
    symlinkSync('/proc/self/fd/7', join(fixture.image, 'link'));
    for (let fd = 0; fd <= 20; fd++) {
      await assert.rejects(fixture.run(['pwd'], { cwd: `/proc/self/fd/${fd}` }), (error) =>
        isErrorCode(error, 'invalid-argument'),
      );
    }
    for (const cwd of ['/link', '/tmp/../proc/1/cwd', '/proc/thread-self/root', 'relative']) {
      await assert.rejects(fixture.run(['pwd'], { cwd }), (error) => isErrorCode(error, 'invalid-argument'));
    }
    rmSync(join(fixture.image, 'link'));
    fixture.assertClean();
  });

  test('CVE-2019-5736: the program behind /proc/1/exe cannot be overwritten', async () => {
    const { stdout } = await use().sh('(echo x > /proc/1/exe) 2>&1; readlink /proc/1/exe');
    assert.match(stdout, /busy|denied|read-only/i);
    assert.match(stdout, /\/bin\/busybox/);
  });

  test('a read-only root file system refuses writes, its mounts do not', async () => {
    const fixture = use();
    const source = fixture.hostDirectory('writable');
    const { stdout } = await fixture.sh('(touch /x) 2>/dev/null || echo refused; touch /w/y && ls /w', {
      readonlyRootfs: true,
      mounts: [fixture.bind(source, '/w')],
    });
    assert.equal(stdout, 'refused\ny\n');
    fixture.assertClean();
  });
}
