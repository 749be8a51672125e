import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { Duplex, duplexPair } from 'node:stream';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { GetSecretRequestSchema, GetSecretResponseSchema, Secrets } from '../gen/secrets_pb.js';
import { create } from '../message/create.ts';
import { fromBinary } from '../message/decode.ts';
import { toBinary } from '../message/encode.ts';
import { GrpcChannel } from './channel.ts';
import { Router } from './router.ts';
import { serveGrpc } from './server.ts';

function serve(messageLimit?: number): Duplex {
  const [near, far] = duplexPair();
  const router = new Router().add(Secrets, {
    getSecret: ({ ID }) => (ID === 'hang' ? new Promise<never>(() => {}) : { data: Buffer.from(`${ID.length}`) }),
  });
  serveGrpc(far, router, { messageLimit });
  return near;
}

/** A call as a foreign client writes it. */
async function rawCall(connection: Duplex, body: Uint8Array, headers: Record<string, string> = {}) {
  const session = connectHttp2('http://localhost', { createConnection: () => connection });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const told: Record<string, unknown> = {};
  stream.on('response', (response) => Object.assign(told, response));
  stream.on('trailers', (trailers) => Object.assign(told, trailers));
  stream.end(body);
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  session.destroy();
  return { status: Number(told['grpc-status']), body: Buffer.concat(parts) };
}

function framed(flag: number, message: Uint8Array): Buffer {
  const header = Buffer.alloc(5, flag);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

const request = (ID: string) => toBinary(GetSecretRequestSchema, create(GetSecretRequestSchema, { ID }));

suite('limits of calls', () => {
  test('a compressed message is read', async () => {
    const { status, body } = await rawCall(serve(), framed(1, gzipSync(request('x'.repeat(1000)))));
    assert.equal(status, 0);
    const { data } = fromBinary(GetSecretResponseSchema, body.subarray(5));
    assert.equal(Buffer.from(data).toString(), '1000');
  });

  test('a message that inflates beyond the limit is refused', async () => {
    const { status } = await rawCall(serve(10_000), framed(1, gzipSync(request('x'.repeat(100_000)))));
    assert.equal(status, 8);
  });

  test('a message that says to be larger than the limit is refused before it comes', async () => {
    const header = Buffer.from('00ffffffff', 'hex');
    assert.equal((await rawCall(serve(), header)).status, 8);
  });

  test('a message that is cut off is refused', async () => {
    assert.notEqual((await rawCall(serve(), framed(0, request('abc')).subarray(0, 7))).status, 0);
  });

  test('no message, and bytes that are no message', async () => {
    assert.equal((await rawCall(serve(), new Uint8Array())).status, 3);
    assert.equal((await rawCall(serve(), framed(0, Buffer.from('ffffffffff', 'hex')))).status, 3);
  });

  test('a deadline ends a call whose handler does not listen', async () => {
    assert.equal((await rawCall(serve(), framed(0, request('hang')), { 'grpc-timeout': '5m' })).status, 4);
  });

  test('an answer beyond the limit of the caller is refused', async () => {
    const [near, far] = duplexPair();
    serveGrpc(far, new Router().add(Secrets, { getSecret: () => ({ data: Buffer.alloc(5000) }) }));
    const channel = new GrpcChannel(near, { messageLimit: 1000 });
    await assert.rejects(channel.client(Secrets).getSecret({}), { code: 'resource-exhausted' });
    channel.close();
  });

  test('a peer that answers no ping any more is given up', async () => {
    const silent = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const channel = new GrpcChannel(silent, { keepAlive: 5 });
    await assert.rejects(channel.client(Secrets).getSecret({}), { code: 'unavailable' });
  });
});
