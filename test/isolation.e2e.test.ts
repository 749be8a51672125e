import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Canary } from './support/canary.ts';
import { cannotRun, eventually, type Result, Sandbox } from './support/slipway.ts';

/**
 * What a step may not do to its host. After each case the canary tree of the host is as it was, its secret is in no file of the
 * store, and the daemon builds on.
 */
suite('steps are kept from the host', { skip: cannotRun }, () => {
  const sandbox = cannotRun ? undefined : new Sandbox();
  const use = (): Sandbox => {
    assert.ok(sandbox);
    return sandbox;
  };
  let host: Canary;
  let canary = '';

  before(async () => {
    await use().baseImage('busybox:latest');
    host = new Canary(join(use().directory, 'canary'));
    canary = host.directory;
    // The first build starts the daemon: what it has in its environment must reach no step.
    await use().run(['daemon', 'stop']);
    const { code, stderr } = await use().run(['images'], { env: { AWS_SECRET_ACCESS_KEY: host.secret } });
    assert.equal(code, 0, stderr);
  });
  after(() => sandbox?.[Symbol.asyncDispose]());

  let count = 0;
  /** Builds with a value that keeps every case from another's cache, and checks that the host is as before. */
  async function attack(dockerfile: string, files: Record<string, string> = {}, flags: string[] = []): Promise<Result> {
    const context = use().files(`case-${++count}`, { Dockerfile: dockerfile, ...files });
    const result = await use().run(['build', '--progress=plain', '-t', `case-${count}`, ...flags, context]);
    host.assertUntouched(result.stderr);
    host.assertUnseen(result.stdout + result.stderr);
    const errors = [...result.stderr.matchAll(/^(ERROR|slipway): /gm)].length;
    assert.equal(errors, result.code === 0 ? 0 : 1, result.stderr);
    return result;
  }
  const works = (result: Result): string => {
    assert.equal(result.code, 0, result.stderr);
    return result.stderr;
  };
  const fails = (result: Result, words: RegExp) => {
    assert.notEqual(result.code, 0, result.stderr);
    assert.match(result.stderr, words);
  };
  /** Lines that steps printed, without their numbers and times. */
  const said = (progress: string): string[] =>
    [...progress.matchAll(/^#\d+ \d+\.\d+ (.*)$/gm)].map((match) => match[1] ?? '');

  test('C1 CVE-2024-21626: a working directory behind an open descriptor of the runtime', async () => {
    for (const fd of [3, 7, 8, 9]) {
      const result = await attack(
        `FROM busybox\nWORKDIR /proc/self/fd/${fd}\nRUN cat ../../../../../../${canary}/file\n`,
      );
      assert.notEqual(result.code, 0);
    }
  });

  test('C2 CVE-2024-23651: a directory of a shared cache mount is swapped for a symlink', async () => {
    const swap = `cd /c && for i in $(seq 300); do rm -rf sub; mkdir sub; rm -rf sub; ln -s ${canary} sub; done`;
    const steal = 'cat /m/file; touch /m/stolen';
    const dockerfile = `FROM busybox AS swapper
RUN --mount=type=cache,id=race,target=/c mkdir -p /c/sub
RUN --mount=type=cache,id=race,target=/c ${swap}
FROM busybox AS thief
${Array.from({ length: 5 }, (_, i) => `RUN --mount=type=cache,id=race,source=sub,target=/m ${steal}; echo ${i}`).join('\n')}
FROM busybox
COPY --from=swapper /etc/passwd /a
COPY --from=thief /etc/passwd /b
`;
    await attack(dockerfile);
    fails(
      await attack(`FROM busybox\nRUN --mount=type=cache,id=race,source=sub,target=/m cat /m/file\n`),
      /sub|No such file/,
    );
  });

  test('C3 CVE-2024-23652: removing what was made to mount on follows no symlink that the step left', async () => {
    works(
      await attack(
        `FROM busybox\nRUN --mount=type=tmpfs,target=/x/stub mv /x /y && ln -s ${canary} /x\nRUN rm /x && mkdir /x\n`,
      ),
    );
    await attack(
      `FROM busybox\nRUN ln -s ${canary} /link\nRUN --mount=type=cache,target=/link/new touch /link/new/file\n`,
    );
    assert.ok(!existsSync(join(canary, 'new')));
  });

  test('C4 CVE-2024-1753, CVE-2024-9407: a bind of a symlink shows the image’s own files; no propagation', async () => {
    const dockerfile = `FROM busybox AS evil
RUN ln -s / /link && ln -s ${canary} /host
FROM busybox
RUN --mount=type=bind,from=evil,source=/link,target=/m,rw ls /m${canary}; touch /m/own && ls -d /m/link
`;
    assert.ok(said(works(await attack(dockerfile))).includes('/m/link'));
    fails(await attack(dockerfile.replace('source=/link', 'source=/host')), /host|not found|No such file/);
    fails(
      await attack('FROM busybox\nRUN --mount=type=bind,bind-propagation=shared,target=/m true\n'),
      /bind-propagation/,
    );
  });

  test('C5 CVE-2024-23653: privileges and the host’s network are not for the asking', async () => {
    fails(await attack('FROM busybox\nRUN --security=insecure cat /proc/kcore\n'), /security\.insecure.*not allowed/);
    fails(await attack('FROM busybox\nRUN --network=host true\n'), /network\.host.*not allowed/);
  });

  test('C6 CVE-2025-31133, CVE-2025-52565: kernel memory, triggers and firmware; /dev/null is the device', async () => {
    const script = `dd if=/proc/kcore bs=1 count=1 2>/dev/null | wc -c
for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname; do (echo x > $file) 2>/dev/null && echo wrote $file; done
ls -A /sys/firmware /sys/devices/virtual/powercap 2>/dev/null | grep -v :
stat -c %t:%T /dev/null
rm /dev/null; ln -s /proc/sys/kernel/core_pattern /dev/null
echo end`;
    assert.deepEqual(
      said(works(await attack(`FROM busybox\nRUN <<EOF\n${script}\nEOF\nRUN echo next > /dev/null\n`))),
      ['0', '1:3', 'end'],
    );
  });

  test('C7 CVE-2019-19921, CVE-2023-28642: an image whose /proc, /sys or /dev leads elsewhere', async () => {
    for (const name of ['proc', 'sys', 'dev']) {
      const image = `FROM busybox AS base\nRUN true\nFROM scratch\nCOPY --from=base /bin /bin\nADD ${name}.tar /\nRUN ls /${name}/ ${canary}\n`;
      const context = use().files(`case-${count + 1}`, {});
      mkdirSync(context, { recursive: true });
      execFileSync('sh', [
        '-c',
        `cd '${context}' && ln -s '${canary}' ${name} && tar -cf ${name}.tar ${name} && rm ${name}`,
      ]);
      const result = await attack(image);
      assert.notEqual(result.code, 0);
    }
  });

  test('C8 CVE-2019-5736: the runtime cannot be overwritten through /proc/PID/exe', async () => {
    const runtimes = ['/usr/bin/crun', '/usr/sbin/runc'].filter(existsSync);
    const sums = () => execFileSync('sha256sum', [process.execPath, ...runtimes], { encoding: 'utf8' });
    const before = sums();
    const dockerfile = `FROM busybox
RUN for exe in /proc/[0-9]*/exe; do (echo '#!/bin/false' > $exe) 2>/dev/null && echo overwritten $exe; done; true
RUN ln -sf /proc/self/exe /evil
RUN ["/evil", "true"]
`;
    const lines = said((await attack(dockerfile)).stderr);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('overwritten')),
      [],
    );
    assert.equal(sums(), before);
  });

  test('C9 CVE-2022-24769: no inheritable capability, none of the administrator’s, and a system call filter', async () => {
    const status = said(works(await attack('FROM busybox\nRUN cat /proc/self/status\n'))).join('\n');
    assert.match(status, /CapInh:\t0{16}/);
    assert.match(status, /CapAmb:\t0{16}/);
    assert.match(status, /Seccomp:\t2/);
    const bounding = BigInt(`0x${/CapBnd:\t([0-9a-f]+)/.exec(status)?.[1]}`);
    const forbidden = { NET_ADMIN: 12n, SYS_MODULE: 16n, SYS_PTRACE: 19n, SYS_ADMIN: 21n, SYS_TIME: 25n, BPF: 39n };
    for (const [name, bit] of Object.entries(forbidden)) assert.equal((bounding >> bit) & 1n, 0n, name);
  });

  test('C10 CVE-2021-3602: nothing of the daemon’s environment, descriptors or processes is seen', async () => {
    const lines = said(
      works(await attack('FROM busybox\nRUN env; ls /proc/self/fd | wc -l; ls -d /proc/[0-9]* | wc -l\n')),
    );
    assert.ok(!lines.some((line) => /AWS_|SLIPWAY_|DOCKER_/.test(line)), lines.join('\n'));
    // Its three streams and the directory that is listed; the shell, ls, wc.
    assert.equal(lines.at(-2), '4');
    assert.ok(Number(lines.at(-1)) <= 3);
  });

  test('C11: a step that takes too much dies with its name; the daemon lives', async () => {
    fails(
      await attack(
        'FROM busybox\nRUN --mount=type=tmpfs,target=/t,size=1m dd if=/dev/zero of=/t/fill bs=64k count=64\n',
      ),
      /No space left on device[\s\S]*RUN --mount=type=tmpfs/,
    );
    const limited = ['--ulimit', 'nproc=40:40', '--ulimit', 'fsize=65536:65536'];
    fails(
      await attack('FROM busybox\nUSER 54321\nRUN bomb() { bomb | bomb & }; bomb; wait; false\n', {}, limited),
      /RUN bomb\(\)/,
    );
    fails(
      await attack('FROM busybox\nRUN dd if=/dev/zero of=/fill bs=64k count=64\n', {}, limited),
      /File too large|exit code: 153/,
    );
  });

  test('C12: what a step started in the background ends with it', async () => {
    works(await attack('FROM busybox\nRUN setsid sleep 71717 > /dev/null 2>&1 & sleep 0.1; true\n'));
    const sleepers = () =>
      readdirSync('/proc').filter(
        (pid) => /^\d+$/.test(pid) && textOf(`/proc/${pid}/cmdline`).includes('sleep\u000071717'),
      );
    await eventually(() => sleepers().length === 0, 'the background process is gone');
    await eventually(() => !textOf(`/proc/${daemonPid()}/mountinfo`).includes('/bundles/'), 'its mounts are gone');
  });

  test('C13 CVE-2020-15257: the daemon’s socket is out of reach, and it listens on no abstract one', async () => {
    const step = `RUN ls ${use().root} /run/slipway /var/run/docker.sock 2>/dev/null | wc -l\n`;
    assert.deepEqual(said(works(await attack(`FROM busybox\n${step}`))), ['0']);
    const inodes = new Set(
      readdirSync(`/proc/${daemonPid()}/fd`).map(
        (fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${daemonPid()}/fd/${fd}`))?.[1],
      ),
    );
    const abstract = readFileSync(`/proc/${daemonPid()}/net/unix`, 'utf8')
      .split('\n')
      .filter((line) => / @/.test(line) && inodes.has(line.split(/\s+/)[6]));
    assert.deepEqual(abstract, []);
  });

  test('C14 CVE-2024-29018: no network is none, names included', async () => {
    const step =
      'RUN --network=none ls /sys/class/net; nslookup localhost.example 2>&1 | grep -c Address; wget -T 2 -q -O - http://127.0.0.1:1/ 2>&1; true\n';
    const lines = said(works(await attack(`FROM busybox\n${step}`)));
    assert.deepEqual(lines.slice(0, 2), ['lo', '0']);
  });

  test('C15 CVE-2019-14271: programs and libraries of the image never run outside of it', async () => {
    const evil = `#!/bin/sh\ntouch ${canary}/owned /owned\n`;
    const context = use().files(`case-${count + 1}`, { data: 'x' });
    execFileSync('tar', ['-cJf', join(context, 'data.tar.xz'), '-C', context, 'data']);
    const programs = ['tar', 'xz', 'gzip', 'unpigz', 'zstd', 'git', 'nft', 'ip', 'crun', 'runc', 'mount', 'node'];
    const dockerfile = `FROM busybox
COPY --chmod=755 evil /evil
RUN for name in ${programs.join(' ')}; do for dir in /usr/bin /usr/sbin /sbin /usr/local/bin; do mkdir -p $dir; cp /evil $dir/$name; done; done
RUN mkdir -p /lib && cp /evil /lib/libnss_files.so.2 && echo 'passwd: evil' > /etc/nsswitch.conf
ENV PATH=/usr/local/bin:/usr/bin:/bin LD_PRELOAD=/lib/libnss_files.so.2
ADD data.tar.xz /out/
COPY --chown=www-data data /owned-by-name
USER www-data
RUN ls /owned /out/data 2>/dev/null
`;
    const { stderr, code } = await attack(dockerfile, { evil });
    assert.equal(code, 1, stderr);
    assert.deepEqual(said(stderr), ['/out/data']);
  });

  test('C16 CVE-2018-15664: copying out of a stage follows no symlink to the host', async () => {
    const dockerfile = `FROM busybox AS evil
RUN mkdir /dir && ln -s ${canary} /dir/link && ln -s ${canary}/file /file
FROM busybox
COPY --from=evil /dir /dir
COPY --from=evil /dir/link/file /taken
`;
    fails(await attack(dockerfile), /"\/dir\/link\/file"|not found/);
    fails(await attack(dockerfile.replace('/dir/link/file /taken', '/file /taken')), /not found|"\/file"/);
  });

  test('C17: an old runtime is named, with the holes that it may have', async () => {
    const { stdout, stderr } = await use().run(['info']);
    const info = stdout + stderr;
    const version = /(?:crun|runc) (\d+\.\d+(?:\.\d+)?)\S* was chosen/.exec(info)?.[1];
    assert.ok(version, info);
    const old = /crun 1\.([0-9]|1[0-9]|2[0-3])\b|runc 1\.[01]\./.test(info);
    assert.equal(/may lack the fixes for CVE-2025-31133/.test(info), old, info);
  });

  test('after all this: nothing of the host is in the store, and the daemon still builds', async () => {
    works(await attack('FROM busybox\nRUN echo fine\n'));
    host.assertNowhereIn(use().root);
  });

  const daemonPid = () => readFileSync(join(use().root, 'lock'), 'utf8').trim();
});

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
