import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { isErrorCode } from '../base/errors.ts';
import { cgroupLayout, findRuntime } from './find-runtime.ts';
import { resolvConf } from './name-files.ts';
import { OciRuntime } from './oci-runtime.ts';
import { cannotRun, RuntimeFixture } from './runtime.suite.ts';
import { seccompProfile } from './seccomp-profile.ts';

suite('choosing a runtime', () => {
  const directory = mkdtempSync(join(tmpdir(), 'choice-'));
  after(() => rmSync(directory, { recursive: true }));

  function fake(folder: string, versions: Readonly<Record<string, string>>): string {
    const path = join(directory, folder);
    mkdirSync(path);
    for (const [name, version] of Object.entries(versions)) {
      writeFileSync(join(path, name), `#!/bin/sh\necho ${name} version ${version}\n`);
      chmodSync(join(path, name), 0o755);
    }
    return path;
  }

  test('crun first; on a hybrid host runc takes what has limits', () => {
    const path = fake('both', { crun: '1.26', runc: '1.3.4' });
    const plain = findRuntime({ path, layout: 'v2' });
    assert.deepEqual([plain.main.name, plain.limiting?.name, plain.main.wrapper], ['crun', 'crun', []]);
    const hybrid = findRuntime({ path, layout: 'hybrid' });
    assert.deepEqual([hybrid.main.name, hybrid.limiting?.name], ['crun', 'runc']);
    assert.notDeepEqual(hybrid.main.wrapper, []);
  });

  test('old versions are named with what they lack, new ones are not', () => {
    const old = findRuntime({ path: fake('old', { runc: '1.1.5+ds1' }), layout: 'v1' });
    assert.match(old.warnings.join(), /1\.1\.5\+ds1 may lack .*CVE-2025-31133/);
    const fresh = findRuntime({ path: fake('fresh', { runc: '1.2.8' }), layout: 'v1' });
    assert.deepEqual(fresh.warnings, []);
  });

  test('without any there is one clear error with the way out', () => {
    assert.throws(
      () => findRuntime({ path: directory }),
      (error) =>
        isErrorCode(error, 'failed-precondition') &&
        /apt-get install crun/.test(String(Reflect.get(Object(error), 'hint'))),
    );
  });

  test('the layout of cgroups is read from their directory', () => {
    const host = (name: string, files: Readonly<Record<string, string>>) => {
      mkdirSync(join(directory, name, 'unified'), { recursive: true });
      for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, name, file), text);
      return cgroupLayout(join(directory, name));
    };
    assert.equal(host('a', { 'cgroup.controllers': 'cpu memory' }), 'v2');
    assert.equal(host('b', { 'unified/cgroup.controllers': 'hugetlb\n' }), 'hybrid');
    assert.equal(host('c', { 'unified/cgroup.controllers': '\n' }), 'v1');
  });
});

suite('what a container is told', () => {
  test('name servers on the host’s loopback are left out, unless its network is shared', () => {
    const host = 'search a.example\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver ::1\noptions ndots:2\n';
    assert.equal(resolvConf(host, false), 'search a.example\nnameserver 10.0.0.2\noptions ndots:2\n');
    assert.equal(resolvConf(host, true), host);
    assert.match(resolvConf('nameserver 127.0.0.1\n', false), /^nameserver 8\.8\.8\.8$/m);
  });

  test('the filter opens with capabilities and never allows clone3 without CAP_SYS_ADMIN', () => {
    const text = (capabilities: string[]) => JSON.stringify(seccompProfile(capabilities, 'x64'));
    assert.doesNotMatch(text([]), /"mount"|"bpf"|"kexec_load"|"open_by_handle_at"/);
    assert.match(text([]), /\["clone3"\],"action":"SCMP_ACT_ERRNO","errnoRet":38/);
    assert.match(text(['CAP_SYS_ADMIN']), /"mount"/);
    assert.doesNotMatch(text(['CAP_SYS_ADMIN']), /SCMP_CMP_MASKED_EQ/);
  });
});

function cannotLimit(): string | false {
  try {
    return findRuntime().limiting ? false : 'no runtime here can limit';
  } catch {
    return 'needs crun or runc';
  }
}

test('limits hold, and a process that was killed for memory is told apart', {
  skip: cannotRun() || cannotLimit(),
}, async (t) => {
  const fixture = new RuntimeFixture();
  t.after(() => fixture.close());
  fixture.runtime = await OciRuntime.open({ runDirectory: join(fixture.directory, 'run') });
  const resources = { memory: 32 * 1024 * 1024, memorySwap: 32 * 1024 * 1024, pids: 20 };
  const greedy = await fixture.run(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'], { resources });
  assert.deepEqual([greedy.code, greedy.outOfMemory], [137, true]);
  const bomb = await fixture.sh('i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done; kill -9 -1', { resources });
  assert.match(bomb.stderr, /fork/);
  fixture.assertClean();
});
