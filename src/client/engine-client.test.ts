import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { EngineClient } from './engine-client.ts';

suite('a client of the Engine API', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-engine-client-'));
  const socketPath = join(directory, 's.sock');
  const requests: { method: string | undefined; url: string | undefined; type: string | undefined; body: string }[] =
    [];
  const client = new EngineClient(`unix://${socketPath}`);

  const note = async ({ method, url, headers }: IncomingMessage, message: IncomingMessage) => {
    const body = Buffer.concat(await Array.fromAsync(message as AsyncIterable<Buffer>)).toString();
    requests.push({ method, url, type: headers['content-type'], body });
  };
  const server = createServer(async (request, response) => {
    await note(request, request);
    const path = request.url?.replace(/^\/v[\d.]+/, '').replace(/\?.*$/, '');
    if (path === '/ok') response.end('{"Id":"x"}');
    else if (path === '/empty') response.writeHead(204).end();
    else if (path === '/progress')
      response.end('{"status":"one"}\n\n{"status":"tw\\u006f"}\n{"error":"disk full"}\n{"status":"never"}');
    else if (path === '/hang') response.writeHead(200).flushHeaders();
    else if (path === '/proxy') response.writeHead(503).end('<html>busy</html>');
    else response.writeHead(404).end('{"message":"No such container: x"}');
  });
  server.on('upgrade', (request, socket) => {
    requests.push({ method: request.method, url: request.url, type: request.headers['content-type'], body: '' });
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst words');
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  before(() => new Promise<void>((resolve) => server.listen(socketPath, resolve)));
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });

  test('JSON in and out, queries as docker writes them', async () => {
    requests.length = 0;
    const query = { all: true, size: false, limit: undefined, names: ['a', 'b/c'] };
    assert.deepEqual(await client.json('POST', '/ok', { query, json: { A: 1 } }), { Id: 'x' });
    assert.deepEqual(requests, [
      { method: 'POST', url: '/v1.51/ok?all=1&names=a&names=b%2Fc', type: 'application/json', body: '{"A":1}' },
    ]);
    assert.equal(await client.json('GET', '/empty'), undefined);
  });

  test('errors: the words of the daemon, by a code', async () => {
    await assert.rejects(client.json('GET', '/nope'), { code: 'not-found', message: 'No such container: x' });
    await assert.rejects(client.json('GET', '/proxy'), { code: 'unavailable', message: '<html>busy</html>' });
    const nobody = new EngineClient(`unix://${directory}/none.sock`);
    await assert.rejects(nobody.json('GET', '/ok'), {
      code: 'unavailable',
      message: /cannot talk to the daemon at unix:/,
    });
  });

  test('progress: a line at a time, an error among them is thrown', async () => {
    const seen: unknown[] = [];
    await assert.rejects(
      async () => {
        for await (const { status } of client.lines('POST', '/progress')) seen.push(status);
      },
      { message: 'disk full' },
    );
    assert.deepEqual(seen, ['one', 'two']);
  });

  test('a connection that becomes a stream: nothing said early is lost', async () => {
    const stream = await client.hijack('/containers/x/attach', { query: { stream: true } });
    stream.end(' and more');
    const said = Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString();
    assert.equal(said, 'first words and more');
    assert.equal(requests.at(-1)?.url, '/v1.51/containers/x/attach?stream=1');
  });

  test('a request that is given up', async () => {
    const aborter = new AbortController();
    const waiting = client.json('POST', '/hang', { signal: aborter.signal });
    setTimeout(() => aborter.abort(), 20);
    await assert.rejects(waiting);
  });
});
