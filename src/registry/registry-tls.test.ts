import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseReference } from '../oci/reference.ts';
import { RegistryClient, type RegistryClientOptions } from './registry-client.ts';
import { createRegistryHosts, type RegistryHostsOptions } from './registry-hosts.ts';
import { resolveReference } from './resolver.ts';

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

suite('registries behind TLS', { skip: hasOpenssl() ? false : 'no openssl' }, () => {
  let directory: string;
  let server: Server;
  let host: string;
  const seen: (string | undefined)[] = [];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'registry-tls-'));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, response) => {
      seen.push(incoming.headers.authorization);
      if (incoming.url?.startsWith('/v2/plain/')) {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end();
      } else if (incoming.url?.startsWith('/v2/down/')) {
        response.writeHead(307, { location: `http://${host}/elsewhere` }).end();
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const place = join(directory, 'certs.d', host);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'ca.crt'), readFileSync(cert));
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  const resolve = async (path: string, hosts: RegistryHostsOptions, options: RegistryClientOptions = {}) => {
    const client = new RegistryClient({ hosts: createRegistryHosts(hosts), retry: { attempts: 1 }, ...options });
    const outcome = await resolveReference(client, parseReference(`${host}/${path}:1`)).catch((error) => error);
    client.close();
    return outcome;
  };

  test('a certificate of nobody we know is refused, with the way out', async () => {
    const error = await resolve('a', { registries: { [host]: { tls: {} } } });
    assert.match(error.message, /TLS certificate is not accepted/);
    assert.match(error.hint, /CA certificate/);
  });

  test("the CA in docker's certificate directory makes it known", async () => {
    const error = await resolve('a', { certificateDirectory: join(directory, 'certs.d') });
    assert.equal(error.code, 'not-found');
  });

  test('an insecure registry is not checked', async () => {
    const error = await resolve('a', { insecureRegistries: [host] });
    assert.equal(error.code, 'not-found');
  });

  test('plain HTTP to a TLS port says so', async () => {
    const error = await resolve('a', { registries: { [host]: { http: true } } });
    assert.equal(error.code, 'unavailable');
  });

  test('E3, E4: no login goes to a realm without TLS, and no redirect leaves TLS (CVE-2019-10214)', async () => {
    const certificates = { certificateDirectory: join(directory, 'certs.d') };
    const credentials = async () => ({ username: 'u', secret: 'canary' });
    seen.length = 0;
    assert.match((await resolve('plain', certificates, { credentials })).message, /token server .* is refused/);
    assert.match((await resolve('down', certificates, { credentials })).message, /leaves HTTPS/);
    assert.deepEqual(seen, [undefined, undefined]);
  });
});
