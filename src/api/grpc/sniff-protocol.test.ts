import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Secrets } from '../gen/secrets_pb.js';
import { GrpcChannel } from './channel.ts';
import { Router } from './router.ts';
import { serveGrpc } from './server.ts';
import { acceptUpgrade, sniffProtocol } from './sniff-protocol.ts';

suite('one socket for both protocols', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sniff-'));
  const path = join(directory, 'socket');
  const router = new Router().add(Secrets, { getSecret: ({ ID }) => ({ data: Buffer.from(ID) }) });
  const http = createHttpServer((request, response) => {
    let body = '';
    request
      .on('data', (chunk) => (body += chunk))
      .on('end', () => response.end(`${request.method} ${request.url} ${body}`));
  });
  http.on('upgrade', (_request, socket, head) => {
    acceptUpgrade(socket as Socket, head);
    serveGrpc(socket, router);
  });
  const server = createServer((socket) =>
    sniffProtocol(socket, {
      http2: (socket) => serveGrpc(socket, router),
      http1: (socket) => http.emit('connection', socket),
    }),
  );
  before(() => new Promise<void>((resolve) => server.listen(path, resolve)));
  after(() => {
    server.close();
    http.closeAllConnections();
    rmSync(directory, { recursive: true });
  });

  const ask = async (channel: GrpcChannel) => {
    const { data } = await channel.client(Secrets).getSecret({ ID: 'x' });
    channel.close();
    return Buffer.from(data).toString();
  };

  test('gRPC', async () => {
    assert.equal(await ask(new GrpcChannel(connect(path))), 'x');
  });

  test('gRPC whose first bytes come one by one', async () => {
    const socket = connect(path);
    const write = socket.write.bind(socket);
    for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
      write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    write(Buffer.from('000000040000000000', 'hex'));
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    assert.equal(answer[3], 4, 'a SETTINGS frame');
    socket.destroy();
  });

  test('HTTP/1.1 with a body and without', async () => {
    const send = (method: string, body: string) =>
      new Promise<string>((resolve) => {
        const call = request({ socketPath: path, method, path: '/PRI', agent: false }, async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve(text);
        });
        call.end(body);
      });
    assert.equal(await send('POST', 'hello'), 'POST /PRI hello');
    assert.equal(await send('GET', ''), 'GET /PRI ');
  });

  test('HTTP/1.1 upgraded to h2c, as docker does', async () => {
    const call = request({
      socketPath: path,
      method: 'POST',
      path: '/grpc',
      headers: { Connection: 'Upgrade', Upgrade: 'h2c' },
    });
    const socket = await new Promise<Socket>((resolve) => {
      call.on('upgrade', (response, socket, head) => {
        assert.equal(response.statusCode, 101);
        if (head.length > 0) socket.unshift(head);
        resolve(socket as Socket);
      });
      call.end();
    });
    assert.equal(await ask(new GrpcChannel(socket)), 'x');
  });

  test('a connection that says nothing and ends leaves nothing behind', async () => {
    const socket = connect(path);
    socket.end();
    await new Promise((resolve) => socket.once('close', resolve));
  });
});
