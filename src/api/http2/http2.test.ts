import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { Http2Connection } from './connection.ts';
import { clientPreface, frame, frameFlag, frameType } from './frames.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { encodeHeaders } from './hpack-encoder.ts';
import type { Http2Stream } from './stream.ts';

const call = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/echo'],
  [':authority', 'localhost'],
] as const;
const ok = [[':status', '200']] as const;

async function echo(stream: Http2Stream): Promise<void> {
  stream.respond(ok);
  for await (const chunk of stream) await stream.write(chunk);
  stream.end([['x-end', 'done']]);
}

const directory = mkdtempSync(join(tmpdir(), 'http2-'));
after(() => rmSync(directory, { recursive: true }));
let sockets = 0;

async function socketPair(): Promise<readonly [Socket, Socket]> {
  const listener = createServer();
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const path = join(directory, `${sockets++}`);
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  const near = connect(path);
  const far = await accepted;
  listener.close();
  near.on('error', () => {});
  return [near, far];
}

/** A server of ours; the answer is the client's side of the connection. */
async function serve(onCall: (stream: Http2Stream) => void = (stream) => void echo(stream).catch(() => {})) {
  const [near, far] = await socketPair();
  return { near, server: new Http2Connection(far, { onCall }) };
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

suite('HTTP/2 between two of ours', () => {
  test('headers, data and trailers', async () => {
    const client = new Http2Connection((await serve()).near);
    const stream = client.request([...call, ['x-long', 'y'.repeat(100_000)]]);
    stream.write(Buffer.from('hello '));
    stream.write(Buffer.from('there'));
    stream.end();
    assert.equal((await bytesOf(stream)).toString(), 'hello there');
    assert.deepEqual(stream.headers, ok);
    assert.deepEqual(stream.trailers, [['x-end', 'done']]);
    client.destroy();
  });

  test('more data than the windows hold, on many streams at once', async () => {
    const client = new Http2Connection((await serve()).near);
    const block = Buffer.alloc(100_000, 7);
    const sizes = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const stream = client.request(call);
        const sent = (async () => {
          for (let i = 0; i < 30; i++) await stream.write(block);
          stream.end();
        })();
        const { length } = await bytesOf(stream);
        await sent;
        return length;
      }),
    );
    assert.deepEqual(new Set(sizes), new Set([3_000_000]));
    client.destroy();
  });

  test('a reader that stalls holds back its writer and nobody else', async () => {
    const stalled = Promise.withResolvers<Http2Stream>();
    const { near } = await serve((stream) => {
      if (stream.headers?.some(([, value]) => value === '/stall')) stalled.resolve(stream);
      else void echo(stream);
    });
    const client = new Http2Connection(near);
    const slow = client.request([...call.slice(0, 2), [':path', '/stall']]);
    let waits = 0;
    for (let i = 0; i < 100; i++) if (slow.write(Buffer.alloc(64 * 1024))) waits++;
    await stalled.promise;
    assert.ok(waits > 50);
    const quick = client.request(call);
    quick.write(Buffer.alloc(5_000_000));
    quick.end();
    assert.equal((await bytesOf(quick)).length, 5_000_000);
    client.destroy();
  });

  test('a reset reaches the other side, and a lost connection all streams', async () => {
    const ended: unknown[] = [];
    let calls = 0;
    const { near, server } = await serve((stream) => {
      calls++;
      bytesOf(stream).catch((error: Error) => ended.push(error.message));
    });
    const client = new Http2Connection(near);
    client.request(call).reset();
    const other = client.request(call);
    other.write(Buffer.from('x'));
    while (calls < 2) await new Promise((resolve) => setImmediate(resolve));
    near.destroy();
    await Promise.all([server.whenClosed, other.whenClosed]);
    while (ended.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(bytesOf(other));
    assert.equal(client.closed, true);
  });

  test('more calls than the other side takes wait for their turn', async () => {
    const open = new Set<Http2Stream>();
    let most = 0;
    const { near } = await serve(async (stream) => {
      most = Math.max(most, open.add(stream).size);
      await echo(stream);
      open.delete(stream);
    });
    const client = new Http2Connection(near);
    const calls = Array.from({ length: 1500 }, () => {
      const stream = client.request(call);
      stream.end();
      return bytesOf(stream).then(() => stream.trailers?.length);
    });
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([1]));
    assert.ok(most <= 1000);
    client.destroy();
  });
});

suite('HTTP/2 with a foreign peer', () => {
  test('a foreign client: coded headers, a table that changes, much data', async () => {
    const { near } = await serve();
    const session = http2.connect('http://localhost', { createConnection: () => near });
    for (let i = 0; i < 5; i++) {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/echo',
        'x-name': `größer ${i}`,
        'x-same': 'each time',
      });
      stream.end(Buffer.alloc(400_000 + i));
      assert.equal((await bytesOf(stream)).length, 400_000 + i);
    }
    session.destroy();
  });

  test('a foreign server', async () => {
    const [near, far] = await socketPair();
    const session = http2.performServerHandshake(far);
    session.on('stream', (stream, headers) => {
      stream.respond({ ':status': 200, 'x-path': headers[':path'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'done' }));
      stream.pipe(stream);
    });
    const client = new Http2Connection(near);
    const stream = client.request(call);
    stream.write(Buffer.alloc(1_000_000, 1));
    stream.end();
    assert.equal((await bytesOf(stream)).length, 1_000_000);
    assert.deepEqual(stream.trailers, [['x-end', 'done']]);
    assert.ok(stream.headers?.some(([name, value]) => name === 'x-path' && value === '/echo'));
    client.destroy();
    session.destroy();
  });
});

suite('HTTP/2 from those who mean harm', () => {
  /** What a server of ours says before it goes, or after all has been read. */
  async function talk(near: Socket, ...parts: readonly Uint8Array[]): Promise<Buffer> {
    const said: Uint8Array[] = [];
    near.on('data', (chunk: Buffer) => said.push(chunk));
    const closed = new Promise((resolve) => near.once('close', resolve));
    for (const part of [clientPreface, frame(frameType.settings, 0, 0, Buffer.alloc(0)), ...parts]) near.write(part);
    await closed;
    return Buffer.concat(said);
  }
  const begin = (id: number, flags = 0) =>
    frame(frameType.headers, frameFlag.endHeaders | flags, id, encodeHeaders(call));
  const reset = (id: number) => frame(frameType.rstStream, 0, id, Buffer.from([0, 0, 0, 8]));

  const refused: readonly (readonly [name: string, parts: () => Uint8Array[]])[] = [
    [
      'CVE-2023-44487: calls that are reset as soon as they are made',
      () => Array.from({ length: 1500 }, (_, i) => Buffer.concat([begin(2 * i + 1), reset(2 * i + 1)])),
    ],
    [
      'CVE-2024-27316: continuations without end',
      () => [
        frame(frameType.headers, 0, 1, encodeHeaders(call)),
        ...Array.from({ length: 5000 }, () => frame(frameType.continuation, 0, 1, Buffer.alloc(0))),
      ],
    ],
    ['a frame of 16 MB', () => [Buffer.from('ffffff000000000001', 'hex')]],
    ['a frame between those of a header block', () => [frame(frameType.headers, 0, 1, Buffer.alloc(0)), begin(3)]],
    ['a continuation of nothing', () => [frame(frameType.continuation, frameFlag.endHeaders, 1, Buffer.alloc(0))]],
    [
      'a header that is not there',
      () => [frame(frameType.headers, frameFlag.endHeaders, 1, Buffer.from([0xff, 0x7f]))],
    ],
    [
      'a header block that is cut',
      () => [frame(frameType.headers, frameFlag.endHeaders, 1, Buffer.from([0x40, 0x05, 0x61]))],
    ],
    ['data for a call that nobody made', () => [frame(frameType.data, 0, 9, Buffer.from('x'))]],
    ['a call with the number of a server’s', () => [begin(2)]],
    [
      'padding longer than the frame',
      () => [begin(1), frame(frameType.data, frameFlag.padded, 1, Buffer.from([9, 1]))],
    ],
    ['a push', () => [frame(frameType.pushPromise, frameFlag.endHeaders, 1, Buffer.alloc(8))]],
    ['settings that are cut', () => [frame(frameType.settings, 0, 0, Buffer.alloc(5))]],
    ['a window that overflows', () => [frame(frameType.windowUpdate, 0, 0, Buffer.from('7fffffff', 'hex'))]],
    ['a reset that is cut', () => [begin(1), frame(frameType.rstStream, 0, 1, Buffer.alloc(1))]],
  ];
  for (const [name, parts] of refused)
    test(name, async () => {
      const said = await talk((await serve()).near, ...parts());
      assert.ok(said.includes(Buffer.from([frameType.goaway, 0, 0, 0, 0, 0])), 'it says that it goes');
    });

  test('bytes that are no HTTP/2', async () => {
    const { near } = await serve();
    const closed = new Promise((resolve) => near.once('close', resolve));
    near.resume();
    near.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
  });

  test('more data than the window allows resets the stream', async () => {
    const { near } = await serve(() => {});
    const reader: Uint8Array[] = [];
    near.on('data', (chunk: Buffer) => reader.push(chunk));
    const block = frame(frameType.data, 0, 1, Buffer.alloc(60_000));
    for (const part of [clientPreface, begin(1), block, block, block, block, block]) near.write(part);
    while (!Buffer.concat(reader).includes(Buffer.from([0, 0, 4, frameType.rstStream, 0, 0, 0, 0, 1, 0, 0, 0, 3])))
      await new Promise((resolve) => setImmediate(resolve));
    near.destroy();
  });

  test('headers that name a large entry again and again', () => {
    const entry = Buffer.concat([Buffer.from([0x40, 0x01, 0x61, 0x7f, 0x81, 0x1e]), Buffer.alloc(4000, 'b')]);
    const block = Buffer.concat([entry, Buffer.alloc(10_000, 0xbe)]);
    assert.throws(() => new HpackDecoder().decode(block), /too large/);
  });

  test('a peer that asks and does not read', async () => {
    const { near, server } = await serve();
    near.write(clientPreface);
    const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8));
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
    while (!server.closed) {
      near.write(many);
      await new Promise((resolve) => setImmediate(resolve));
    }
    near.destroy();
  });
});

suite('header blocks', () => {
  // RFC 7541 appendix C.4: requests with coded texts.
  test('the RFC’s own examples', () => {
    const decoder = new HpackDecoder();
    const read = (hex: string) => Object.fromEntries(decoder.decode(Buffer.from(hex, 'hex')));
    assert.equal(read('828684418cf1e3c2e5f23a6ba0ab90f4ff')[':authority'], 'www.example.com');
    assert.equal(read('828684be5886a8eb10649cbf')['cache-control'], 'no-cache');
    assert.equal(read('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf')['custom-key'], 'custom-value');
  });

  test('what is written is read', () => {
    const headers = [
      ...call,
      ['x-empty', ''],
      ['x-long', 'z'.repeat(70_000)],
      ['cookie', 'a'],
      ['cookie', 'b'],
    ] as const;
    assert.deepEqual(new HpackDecoder().decode(encodeHeaders(headers)), headers);
  });
});
