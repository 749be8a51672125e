import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { cannotRun, Sandbox } from './support/slipway.ts';

const epoch = 1_700_000_000;
const dockerfile = `FROM busybox
LABEL who=us
WORKDIR /work
COPY --chmod=644 data /data
RUN mkdir -p /made/by && date > /dev/null && echo made > /made/by/run && ln -s run /made/by/link
RUN rm /data/old
CMD ["cat", "/made/by/run"]
`;

/** Builds in a store of its own from files with times of their own. */
async function build(run: (sandbox: Sandbox, context: string) => Promise<void>, age: number): Promise<void> {
  await using sandbox = new Sandbox();
  await sandbox.baseImage('busybox:latest');
  const context = sandbox.files('context', { Dockerfile: dockerfile, 'data/one': '1', 'data/old': 'old' });
  for (const path of ['data/one', 'data/old', 'data']) {
    const time = Date.now() / 1000 - age;
    utimesSync(join(context, path), time, time);
  }
  await run(sandbox, context);
}

const reproducible = ['--build-arg', `SOURCE_DATE_EPOCH=${epoch}`];

suite('reproducible builds', { skip: cannotRun }, () => {
  test('the same image from two clean stores, as OCI layouts and in the store', async () => {
    const digests: string[] = [];
    for (const age of [0, 100]) {
      await build(async (sandbox, context) => {
        const archive = join(sandbox.directory, 'image.tar');
        const metadata = join(sandbox.directory, 'metadata.json');
        const output = `type=oci,dest=${archive},rewrite-timestamp=true`;
        await sandbox.ok('build', '-q', ...reproducible, '--metadata-file', metadata, '-o', output, context);
        const stored = join(sandbox.directory, 'stored.json');
        await sandbox.ok(
          'build',
          '-q',
          ...reproducible,
          '--metadata-file',
          stored,
          '-o',
          'type=image,name=same,rewrite-timestamp=true',
          context,
        );
        assert.equal(await sandbox.ok('run', '--rm', 'same'), 'made\n');
        const image = JSON.parse(await sandbox.ok('image', 'inspect', 'same'))[0];
        assert.equal(image.Created, '2023-11-14T22:13:20Z');
        digests.push(
          [metadata, stored].map((file) => JSON.parse(readFileSync(file, 'utf8'))['containerimage.digest']).join(' '),
        );
        const listing = execFileSync('tar', ['-xOf', archive, 'index.json'], { encoding: 'utf8' });
        assert.ok(listing.includes(digests.at(-1)?.split(' ')[0] ?? 'nothing'));
      }, age);
    }
    assert.equal(digests[0], digests[1]);
    assert.match(digests[0] ?? '', /^sha256:[0-9a-f]{64} sha256:[0-9a-f]{64}$/);
  });

  test('without the rewrite the config alone is old', async () => {
    await build(async (sandbox, context) => {
      await sandbox.ok('build', '-q', ...reproducible, '-t', 'plain', context);
      const history = await sandbox.ok('history', '--format', '{{.CreatedAt}}', 'plain');
      assert.equal(history.split('\n')[0], '2023-11-14T22:13:20Z');
      const seen = await sandbox.ok('run', '--rm', 'plain', 'stat', '-c', '%Y', '/made/by/run');
      assert.ok(Number(seen) > epoch);
    }, 0);
  });

  test('files that come out as a directory or a tar are as old', async () => {
    await build(async (sandbox, context) => {
      const out = join(sandbox.directory, 'out');
      await sandbox.ok('build', '-q', ...reproducible, '-o', out, context);
      assert.equal(statSync(join(out, 'made/by/run')).mtimeMs, epoch * 1000);
      const archive = join(sandbox.directory, 'out.tar');
      await sandbox.ok('build', '-q', ...reproducible, '-o', `type=tar,dest=${archive}`, context);
      const listed = execFileSync('tar', ['--utc', '--full-time', '-tvf', archive], { encoding: 'utf8' });
      assert.deepEqual([...new Set(listed.match(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g))], ['2023-11-14 22:13:20']);
    }, 0);
  });

  test('a bad epoch is refused', async () => {
    await build(async (sandbox, context) => {
      writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY data /\n');
      const { code, stderr } = await sandbox.run(['build', '-o', 'type=image,source-date-epoch=soon', context]);
      assert.equal(code, 1);
      assert.match(stderr, /cannot use "soon" for exporter attribute source-date-epoch/);
    }, 0);
  });
});
