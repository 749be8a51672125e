import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { SlipwayError } from '../../base/errors.ts';
import { Control } from '../gen/control_pb.js';
import { FileSend } from '../gen/filesync_pb.js';
import { Secrets } from '../gen/secrets_pb.js';
import { GrpcChannel } from './channel.ts';
import { Router } from './router.ts';
import { serveGrpc } from './server.ts';
import { Tunnel } from './tunnel.ts';

const megabyte = 1 << 20;

async function* many(count: number, size: number) {
  for (let i = 0; i < count; i++) yield { data: Buffer.alloc(size, i) };
}

async function totalOf(messages: AsyncIterable<{ readonly data: Uint8Array }>): Promise<number> {
  let total = 0;
  for await (const { data } of messages) total += data.length;
  return total;
}

suite('grpc', () => {
  const directory = mkdtempSync(join(tmpdir(), 'grpc-'));
  const path = join(directory, 'socket');
  const aborted = Promise.withResolvers<void>();
  let server: Server;
  let channel: GrpcChannel;
  const sockets = new Set<Socket>();

  before(async () => {
    const router = new Router()
      .add(Secrets, {
        getSecret: async ({ ID }, context) => {
          if (ID === 'hang') {
            context.signal.addEventListener('abort', () => aborted.resolve());
            await new Promise(() => {});
          }
          if (ID === 'metadata') return { data: Buffer.from(String(context.metadata['x-name'])) };
          if (ID !== 'token') throw new SlipwayError('not-found', `there is no secret "${ID}" – größer`);
          return { data: Buffer.from('hunter2') };
        },
      })
      .add(FileSend, { diffCopy: (requests) => requests })
      .add(Control, {
        async *status({ Ref }) {
          for (let i = 0; i < 3; i++) yield { vertexes: [{ name: `${Ref} ${i}` }] };
          if (Ref === 'bad') throw new SlipwayError('failed-precondition', 'no more');
        },
        // A session: the server becomes a client of what the caller serves inside the stream.
        session: (requests) => {
          const tunnel = new Tunnel(requests);
          const inner = new GrpcChannel(tunnel);
          const upload = inner.client(FileSend).diffCopy(many(64, megabyte / 2));
          totalOf(upload).then((total) => {
            assert.equal(total, 32 * megabyte);
            inner.close();
          });
          return tunnel.outgoing;
        },
      });
    server = createServer((socket) => {
      sockets.add(socket);
      serveGrpc(socket, router);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    channel = new GrpcChannel(connectSocket(path));
  });

  after(() => {
    channel.close();
    server.close();
    for (const socket of sockets) socket.destroy();
    rmSync(directory, { recursive: true });
  });

  test('unary call and its error, code and text kept', async () => {
    const secrets = channel.client(Secrets);
    assert.equal(Buffer.from((await secrets.getSecret({ ID: 'token' })).data).toString(), 'hunter2');
    await assert.rejects(secrets.getSecret({ ID: 'nope' }), (error: unknown) => {
      assert.ok(error instanceof SlipwayError);
      assert.deepEqual([error.code, error.message], ['not-found', 'there is no secret "nope" – größer']);
      return true;
    });
  });

  test('metadata arrives', async () => {
    const { data } = await channel.client(Secrets).getSecret({ ID: 'metadata' }, { metadata: { 'x-name': 'value' } });
    assert.equal(Buffer.from(data).toString(), 'value');
  });

  test('an unknown method is unimplemented', async () => {
    await assert.rejects(channel.client(Control).info({}), { code: 'unimplemented' });
  });

  test('server stream, also with an error at its end', async () => {
    const names: string[] = [];
    const read = async (Ref: string) => {
      for await (const { vertexes } of channel.client(Control).status({ Ref })) names.push(vertexes[0]?.name ?? '');
    };
    await read('good');
    await assert.rejects(read('bad'), { code: 'failed-precondition', message: 'no more' });
    assert.deepEqual(names, ['good 0', 'good 1', 'good 2', 'bad 0', 'bad 1', 'bad 2']);
  });

  test('bidi stream of 64 MB does not stall', async () => {
    assert.equal(await totalOf(channel.client(FileSend).diffCopy(many(2048, 32 * 1024))), 64 * megabyte);
  });

  test('cancelling a call reaches the handler', async () => {
    const aborter = new AbortController();
    const call = channel.client(Secrets).getSecret({ ID: 'hang' }, { signal: aborter.signal });
    setTimeout(() => aborter.abort(new Error('Ctrl-C')), 10);
    await assert.rejects(call, /Ctrl-C/);
    await aborted.promise;
  });

  test('gRPC inside a bidi stream, served by the caller', async () => {
    const tunnel = Tunnel.open((outgoing) => channel.client(Control).session(outgoing));
    serveGrpc(tunnel, new Router().add(FileSend, { diffCopy: (requests) => requests }));
    await new Promise((resolve) => tunnel.once('close', resolve));
  });

  test('a call on a closed connection says so', async () => {
    const gone = new GrpcChannel(connectSocket(path));
    gone.close();
    await assert.rejects(gone.client(Secrets).getSecret({ ID: 'token' }), { code: 'unavailable' });
  });
});
