import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../base/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import { parseChallenges } from './challenge.ts';
import { checkLogin } from './check-login.ts';
import type { RegistryCredentials } from './credentials.ts';
import { dockerConfigCredentials } from './docker-config.ts';
import { answerJson, FakeRegistry, type SeenRequest } from './fake-registry.ts';
import { fetchBlob } from './fetcher.ts';
import { pushBlob } from './pusher.ts';
import { RegistryClient } from './registry-client.ts';
import type { RegistryEndpoint } from './registry-hosts.ts';
import { resolveReference } from './resolver.ts';
import { eraseLogin, storeLogin } from './store-login.ts';
import { checkRealm } from './token-realm.ts';

const login = { username: 'user', secret: 'canary-secret' };
const basic = `Basic ${Buffer.from('user:canary-secret').toString('base64')}`;

function newClient(credentials?: RegistryCredentials): RegistryClient {
  return new RegistryClient({ credentials: async () => credentials, retry: { sleep: async () => {}, attempts: 2 } });
}

function challenge(response: ServerResponse, realm: string): true {
  response.setHeader('www-authenticate', `Bearer realm="${realm}",service="reg",scope="repository:a:pull"`);
  answerJson(response, 401, { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] });
  return true;
}

/** A token server and a registry in one; tokens are counted up. */
function tokenFault(registry: FakeRegistry, accept: (request: SeenRequest) => boolean) {
  let tokens = 0;
  registry.fault((request, response) => {
    if (request.path.startsWith('/token')) {
      answerJson(response, 200, { token: `token-${++tokens}`, expires_in: 300 });
      return true;
    }
    return accept(request) ? false : challenge(response, `${registry.url}/token`);
  });
}

test('challenges are read in every form', () => {
  const read = (header: string) =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
  assert.deepEqual(read('Bearer realm="https://a/t",service=s,scope="repository:a:pull,push"'), [
    ['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:a:pull,push' }],
  ]);
  assert.deepEqual(read('Basic realm="x \\"y\\"", Bearer realm="z"'), [
    ['basic', { realm: 'x "y"' }],
    ['bearer', { realm: 'z' }],
  ]);
  assert.deepEqual(read('Negotiate, BASIC Realm=a, realm=b'), [
    ['negotiate', {}],
    ['basic', { realm: 'a' }],
  ]);
  for (const junk of ['', ',,,', '=', '"', 'Bearer realm="', 'a'.repeat(100_000), 'Bearer '.repeat(5_000)])
    parseChallenges(junk);
});

test('a token is fetched with the login, used, and shared by later requests', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  tokenFault(registry, ({ headers }) => headers.authorization === 'Bearer token-1');
  const client = newClient(login);
  const reference = parseReference(`${registry.host}/a:1`);
  await resolveReference(client, reference);
  await resolveReference(client, reference);
  const [token, ...more] = registry.requests('GET', '/token');
  assert.equal(more.length, 0);
  assert.equal(token?.headers.authorization, basic);
  assert.equal(token?.path, '/token?service=reg&scope=repository%3Aa%3Apull&account=user');
});

test('an identity token goes to the token server by POST', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  tokenFault(registry, ({ headers }) => headers.authorization !== undefined);
  await resolveReference(newClient({ token: 'identity' }), parseReference(`${registry.host}/a:1`));
  assert.equal(registry.requests('POST', '/token').length, 1);
});

test('basic authentication is used when that is what a registry wants', async () => {
  await using registry = await FakeRegistry.start();
  registry.addImage('a', '1');
  registry.fault(({ headers }, response) => {
    if (headers.authorization === basic) return false;
    response.setHeader('www-authenticate', 'Basic realm="x"');
    answerJson(response, 401, {});
    return true;
  });
  await resolveReference(newClient(login), parseReference(`${registry.host}/a:1`));
  const error = await resolveReference(newClient(), parseReference(`${registry.host}/a:1`)).catch((e) => e);
  assert.equal(error.code, 'unauthenticated');
  assert.match(error.hint, /slipway login/);
});

test('N8: a token that runs out in the middle of a push is renewed', async () => {
  await using registry = await FakeRegistry.start();
  let valid = 'Bearer token-1';
  tokenFault(registry, ({ headers, method }) => {
    if (method === 'PUT') valid = 'Bearer token-2';
    return headers.authorization === valid;
  });
  const open = async function* () {
    yield Buffer.from('content');
  };
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf('content'), size: 7 };
  const reference = parseReference(`${registry.host}/a:1`);
  assert.equal(await pushBlob(newClient(login), reference, descriptor, { open }), 'uploaded');
  assert.equal(registry.requests('GET', '/token').length, 2);
});

test('E1: a redirect to another host, port or scheme drops Authorization (CVE-2026-49349)', async () => {
  await using registry = await FakeRegistry.start();
  await using storage = await FakeRegistry.start();
  registry.addBlob('layer');
  const target = `${storage.url}/signed?secret=canary`;
  tokenFault(registry, ({ headers }) => headers.authorization !== undefined);
  const client = newClient(login);
  const reference = parseReference(`${registry.host}/a:1`);
  registry.addImage('a', '1');
  await resolveReference(client, reference);
  registry.fault((_, response) => {
    response.writeHead(307, { location: target }).end();
    return true;
  });
  storage.fault((_, response) => {
    response.writeHead(200).end('layer');
    return true;
  });
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf('layer'), size: 5 };
  await Array.fromAsync(fetchBlob(client, reference, descriptor));
  assert.match(registry.seen.at(-1)?.headers.authorization ?? '', /^Bearer/);
  assert.equal(storage.seen.length, 1);
  assert.equal(storage.seen[0]?.headers.authorization, undefined);
  storage.fault((_, response) => {
    answerJson(response, 403, {});
    return true;
  });
  const error = await Array.fromAsync(fetchBlob(client, reference, descriptor)).catch((e) => e);
  assert.equal(error.code, 'permission-denied');
  assert.doesNotMatch(error.message + error.hint, /canary/);
});

test('a redirect circle and a redirect out of HTTP end', async () => {
  await using registry = await FakeRegistry.start();
  const reference = parseReference(`${registry.host}/a:1`);
  for (const [location, want] of [
    ['/v2/a/manifests/1', /redirects/],
    ['file:///etc/passwd', /not to an http/],
  ] as const) {
    registry.fault((_, response) => {
      response.writeHead(302, { location }).end();
      return true;
    });
    await assert.rejects(resolveReference(newClient(), reference), want);
  }
});

test('E2: an upload place on another host gets no Authorization (CVE-2026-50151)', async () => {
  await using registry = await FakeRegistry.start();
  await using other = await FakeRegistry.start();
  tokenFault(registry, ({ headers }) => headers.authorization !== undefined);
  const client = newClient(login);
  registry.addImage('a', '1');
  const reference = parseReference(`${registry.host}/a:1`);
  await resolveReference(client, reference);
  registry.fault((request, response) => {
    if (request.path.startsWith('/token')) {
      answerJson(response, 200, { token: 'push-token' });
      return true;
    }
    if (request.method !== 'POST') return false;
    response.writeHead(202, { location: `${other.url}/upload` }).end();
    return true;
  });
  other.fault((_, response) => {
    response.setHeader('www-authenticate', `Basic realm="give"`);
    answerJson(response, 401, {});
    return true;
  });
  const open = async function* () {
    yield Buffer.from('content');
  };
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf('content'), size: 7 };
  await assert.rejects(pushBlob(client, reference, descriptor, { open }), { code: 'unauthenticated' });
  assert.ok(other.seen.length > 0);
  assert.ok(other.seen.every((each) => each.headers.authorization === undefined));
});

test('E3, E4: token realms that lower TLS or point elsewhere inside are refused (CVE-2019-10214, CVE-2020-15157)', async () => {
  const endpoint = (authority: string, scheme: 'https' | 'http' = 'https'): RegistryEndpoint => ({
    authority,
    scheme,
    prefix: '/v2',
    isMirror: false,
    namespace: authority,
  });
  const refused: [string, RegistryEndpoint][] = [
    ['http://auth.example.com/token', endpoint('example.com')],
    ['https://169.254.169.254/latest', endpoint('example.com')],
    ['http://169.254.169.254/latest', endpoint('example.com', 'http')],
    ['https://[fe80::1]/', endpoint('example.com')],
    ['https://10.0.0.1/', endpoint('example.com')],
    ['https://localhost:8080/', endpoint('example.com')],
    ['https://metadata.google.internal/', endpoint('example.com')],
    ['https://2130706433/', endpoint('example.com')],
    ['file:///etc/passwd', endpoint('example.com')],
    ['https://user:pw@auth.example.com/', endpoint('example.com')],
    ['', endpoint('example.com')],
    ['//x', endpoint('example.com')],
  ];
  for (const [realm, at] of refused) assert.throws(() => checkRealm(realm, at), { code: 'permission-denied' }, realm);
  checkRealm('https://auth.docker.io/token', endpoint('registry-1.docker.io'));
  checkRealm('https://10.0.0.1:8443/token', endpoint('10.0.0.1:5000'));
  checkRealm('http://127.0.0.1:1/token', endpoint('localhost:5000', 'http'));

  await using registry = await FakeRegistry.start();
  registry.fault((_, response) => challenge(response, 'http://169.254.169.254/token'));
  await assert.rejects(resolveReference(newClient(login), parseReference(`${registry.host}/a`)), {
    code: 'permission-denied',
  });
});

test('a refused login says so, without the secret', async () => {
  await using registry = await FakeRegistry.start();
  registry.fault((request, response) => {
    if (!request.path.startsWith('/token')) return challenge(response, `${registry.url}/token`);
    answerJson(response, 401, { details: `wrong password ${request.headers.authorization}` });
    return true;
  });
  const error = await resolveReference(newClient(login), parseReference(`${registry.host}/a`)).catch((e) => e);
  assert.equal(error.code, 'unauthenticated');
  assert.doesNotMatch(error.message + error.hint, /canary|dXNlcj/);
});

function configDirectory(t: { after(fn: () => void): void }, config: unknown): string {
  const directory = mkdtempSync(join(tmpdir(), 'docker-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

test("logins are read from docker's config file in every form", async (t) => {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const directory = configDirectory(t, {
    auths: {
      'https://index.docker.io/v1/': { auth: encode('hub:pw:with:colons') },
      'reg.example.com': { auth: encode('a:b\0\0') },
      'https://url.example.com': { username: 'u', password: 'p' },
      'id.example.com': { identitytoken: 'it', auth: encode('x:y') },
      'bad.example.com': { auth: 'AAAA' },
      'empty.example.com': {},
    },
  });
  const source = dockerConfigCredentials({ path: join(directory, 'config.json') });
  assert.deepEqual(await source('registry-1.docker.io'), { username: 'hub', secret: 'pw:with:colons' });
  assert.deepEqual(await source('reg.example.com'), { username: 'a', secret: 'b' });
  assert.deepEqual(await source('url.example.com'), { username: 'u', secret: 'p' });
  assert.deepEqual(await source('id.example.com'), { token: 'it' });
  assert.equal(await source('empty.example.com'), undefined);
  assert.equal(await source('other.example.com'), undefined);
  assert.equal(await source('constructor'), undefined);
  await assert.rejects(source('bad.example.com'), { code: 'invalid-argument' });
  assert.equal(await dockerConfigCredentials({ path: join(directory, 'none.json') })('x'), undefined);
});

test('E5: credential helpers: a found login, none, a failure, a missing and an evil name (CVE-2021-41092)', async (t) => {
  const helpers = { 'ok.io': 'ok', 'none.io': 'none', 'fail.io': 'fail', 'missing.io': 'absent', 'evil.io': '../evil' };
  const directory = configDirectory(t, { credHelpers: helpers, auths: { 'fail.io': { auth: 'dTpw' } } });
  const program = (name: string, script: string) =>
    writeFileSync(join(directory, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  program(
    'ok',
    'read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$server\\"}"',
  );
  program('none', 'echo "credentials not found in native keychain"; exit 1');
  program('fail', 'echo canary-secret; exit 1');
  const environment = { PATH: `${directory}:/usr/bin:/bin` };
  const source = dockerConfigCredentials({ path: join(directory, 'config.json'), environment });
  assert.deepEqual(await source('ok.io'), { token: 'ok.io' });
  assert.equal(await source('none.io'), undefined);
  await assert.rejects(source('evil.io'), { code: 'invalid-argument' });
  await assert.rejects(source('missing.io'), /not on the PATH/);
  const error = await source('fail.io').catch((e) => e);
  assert.equal(error.code, 'unauthenticated');
  assert.doesNotMatch(error.message, /canary/);
});

test('a login is proven to the registry', async () => {
  await using registry = await FakeRegistry.start();
  tokenFault(registry, ({ headers }) => headers.authorization === 'Bearer token-1');
  await checkLogin(newClient(login), registry.host);
  registry.fault((_, response) => challenge(response, `${registry.url}/token`));
  await assert.rejects(checkLogin(newClient(login), registry.host), { code: 'unauthenticated' });
});

test('a login is stored in the file or with the helper, the rest of the file is kept, and erased again', async (t) => {
  const directory = configDirectory(t, { currentContext: 'x', credHelpers: { 'helped.io': 'keep' } });
  const helper = `#!/bin/sh\ncat >> ${directory}/kept; echo " $1" >> ${directory}/kept\n`;
  writeFileSync(join(directory, 'docker-credential-keep'), helper, { mode: 0o755 });
  const path = join(directory, 'config.json');
  const options = { path, environment: { PATH: `${directory}:/usr/bin:/bin` } };
  const read = () => JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual(await storeLogin('docker.io', login, options), { place: 'file' });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(await dockerConfigCredentials(options)('registry-1.docker.io'), login);
  assert.deepEqual(await storeLogin('helped.io', login, options), { place: 'helper', helper: 'keep' });
  assert.equal(read().currentContext, 'x');
  assert.doesNotMatch(JSON.stringify(read()), /canary/);
  assert.match(readFileSync(join(directory, 'kept'), 'utf8'), /"Secret":"canary-secret"\} store/);
  assert.equal(await eraseLogin('helped.io', options), true);
  assert.equal(await eraseLogin('docker.io', options), true);
  assert.equal(await eraseLogin('docker.io', options), false);
  assert.deepEqual(read().auths, {});
});
