import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import { clientLimits, DownloadedFile, type DownloadLimits } from './downloaded-file.ts';
import { checkRedirect, fetchUrl } from './fetch-url.ts';

suite('what comes from a URL', () => {
  const directory = mkdtempSync(join(tmpdir(), 'download-'));
  after(() => rmSync(directory, { recursive: true }));
  const take = (bytes: AsyncIterable<Uint8Array>, limits: DownloadLimits = clientLimits, algorithm?: string) =>
    DownloadedFile.from(bytes, { directory, name: '"http://x/"', limits, algorithm });
  async function* pieces(...texts: readonly string[]) {
    for (const text of texts) yield Buffer.from(text);
  }

  test('is digested, copied, and leaves no file behind', async () => {
    const file = await take(pieces('one', 'two'), clientLimits, 'sha512');
    assert.equal(file.digest, digestOf('onetwo'));
    assert.match(file.otherDigest, /^sha512:[0-9a-f]{128}$/);
    assert.deepEqual(readdirSync(directory), []);
    await file.copyTo(join(directory, 'copy'));
    assert.equal(readFileSync(join(directory, 'copy'), 'utf8'), 'onetwo');
    await assert.rejects(take(pieces('x'), clientLimits, 'md5'), /"md5" is no digest that counts/);
  });

  test('B12, CVE-2026-29049: a body without an end, and one that drips', async (t) => {
    async function* endless() {
      for (;;) yield Buffer.alloc(65_536);
    }
    await assert.rejects(take(endless(), { bytes: 1_000_000 }), { code: 'resource-exhausted' });
    t.mock.timers.enable({ apis: ['setInterval'] });
    const dripping = take(
      (async function* () {
        yield Buffer.from('x');
        await new Promise(() => {});
      })(),
      { bytes: 1000, pace: { bytes: 10, ms: 60_000 } },
    );
    const refused = assert.rejects(dripping, {
      code: 'deadline-exceeded',
      message: /no more than 1 bytes came in 60 s/,
    });
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(60_000);
    await refused;
  });

  test('B10, CVE-2026-33990: redirects into this machine, to its credentials, to files', () => {
    const refused: Record<string, RegExp> = {
      'http://169.254.169.254/latest/meta-data': /credentials/,
      'http://[fe80::1]/': /credentials/,
      'http://metadata.google.internal/': /credentials/,
      '//localhost/x': /this machine/,
      'http://127.1/x': /this machine/,
      'http://[::1]:8080/x': /this machine/,
      'http://0x7f000001/': /this machine/,
      'file:///etc/passwd': /neither http nor https/,
      'ftp://example.com/': /neither http nor https/,
      'http://': /no URL/,
    };
    for (const [location, words] of Object.entries(refused))
      assert.throws(
        () => checkRedirect(new URL('https://example.com/a'), location),
        (error: Error) => /cannot fetch "https:\/\/example.com\/a"/.test(error.message) && words.test(error.message),
        location,
      );
    for (const location of ['/b', 'c', 'https://cdn.example.com/b', 'http://10.0.0.7/b'])
      checkRedirect(new URL('https://example.com/a'), location);
    checkRedirect(new URL('http://127.0.0.1:1/a'), 'http://localhost:2/b');
  });

  test('B11: a login goes to the server that it is for; redirects end', async () => {
    const logins: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      logins.push(request.headers.authorization);
      const { port } = server.address() as AddressInfo;
      const to = { '/same': '/there', '/other': `http://localhost:${port}/there`, '/loop': '/loop' }[request.url ?? ''];
      if (to === undefined) response.end('there');
      else response.writeHead(302, { location: to }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { headers: { authorization: 'Bearer x' }, signal: AbortSignal.timeout(60_000) };
    try {
      for (const path of ['/same', '/other'])
        assert.equal(await (await fetchUrl(`${url}${path}`, options)).text(), 'there');
      assert.deepEqual(logins, ['Bearer x', 'Bearer x', 'Bearer x', undefined]);
      await assert.rejects(fetchUrl(`${url}/loop`, options), /redirects more than 10 times/);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
