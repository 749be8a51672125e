import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Control } from '../api/gen/control_pb.js';
import type { GrpcChannel } from '../api/grpc/channel.ts';
import { Router } from '../api/grpc/router.ts';
import { serveGrpc } from '../api/grpc/server.ts';
import { acceptSession } from '../api/session/accept-session.ts';
import { pullUpload } from '../api/session/ask-client.ts';
import { sendExportDirectory, sendExportFile } from '../api/session/send-export.ts';
import { SessionAccess } from '../api/session/session-access.ts';
import { SessionContent } from '../api/session/session-content.ts';
import { SessionManager } from '../api/session/session-manager.ts';
import { digestOf } from '../base/digest.ts';
import { connectDaemon } from './connect.ts';
import { parseDaemonAddress } from './daemon-address.ts';
import type { SessionServices } from './session.ts';
import { solve } from './solve.ts';

const everything = { include: [], exclude: [], followPaths: [] };

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of bytes) all.push(Uint8Array.from(chunk));
  return Buffer.concat(all).toString();
}

suite('a build seen from the client', () => {
  const base = mkdtempSync(join(tmpdir(), 'client-'));
  const context = join(base, 'context');
  const sockets = new Set<Socket>();
  const manager = new SessionManager();
  const access = new SessionAccess(manager);
  let server: Server;
  let channel: GrpcChannel;
  /** What the daemon does in its solve call. */
  let work: (sessionId: string, signal: AbortSignal) => Promise<Record<string, string>>;

  before(async () => {
    mkdirSync(join(context, 'src/größe, mit komma'), { recursive: true });
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch');
    writeFileSync(join(context, 'src/größe, mit komma/a'), 'a');
    writeFileSync(join(context, 'src/b'), 'b');
    symlinkSync('src/b', join(context, 'link'));
    const router = new Router().add(Control, {
      session: (messages, call) => acceptSession(manager, messages, call),
      solve: async ({ Session }, { signal }) => ({ ExporterResponse: await work(Session, signal) }),
      async *status({ Ref }) {
        yield { vertexes: [{ name: `one of ${Ref}` }] };
      },
    });
    server = createServer((socket) => {
      sockets.add(socket);
      serveGrpc(socket, router);
    });
    await new Promise<void>((resolve) => server.listen(join(base, 'socket'), resolve));
    channel = await connectDaemon(`unix://${base}/socket`);
  });

  after(() => {
    channel.close();
    server.close();
    for (const socket of sockets) socket.destroy();
    rmSync(base, { recursive: true });
  });

  function build(services: SessionServices, job: typeof work) {
    work = job;
    return solve(channel, { solve: { Ref: 'r1' }, services: { credentials: async () => undefined, ...services } });
  }

  test('progress and result', async () => {
    work = async () => ({ 'containerimage.digest': 'sha256:0' });
    const names: string[] = [];
    const result = await solve(channel, {
      solve: { Ref: 'r1' },
      services: {},
      onProgress: ({ vertexes }) => names.push(...vertexes.map(({ name }) => name)),
    });
    assert.deepEqual(result, { ref: 'r1', exporterResponse: { 'containerimage.digest': 'sha256:0' } });
    assert.deepEqual(names, ['one of r1']);
  });

  test('the context, filtered at the client, by patterns of any text', async () => {
    const to = join(base, 'received');
    const receive = (options: object) =>
      build({ directories: new Map([['context', context]]) }, async (id, signal) => {
        await access.receiveDirectory([id], 'context', { ...everything, ...options }, to, { signal });
        return {};
      });
    await receive({});
    assert.deepEqual(readdirSync(to, { recursive: true }).sort(), [
      'Dockerfile',
      'link',
      'src',
      'src/b',
      'src/größe, mit komma',
      'src/größe, mit komma/a',
    ]);
    await receive({ exclude: ['src/größe, mit komma', '**/Dockerfile'] });
    assert.deepEqual(readdirSync(to, { recursive: true }).sort(), ['link', 'src', 'src/b']);
    await receive({ followPaths: ['link'] });
    assert.deepEqual(readdirSync(to, { recursive: true }).sort(), ['link', 'src', 'src/b']);
    assert.equal(readFileSync(join(to, 'src/b'), 'utf8'), 'b');
  });

  test('a directory that is not part of the build is not read', async () => {
    const job: typeof work = async (id, signal) => {
      await access.receiveDirectory([id], '/etc', everything, join(base, 'etc'), { signal });
      return {};
    };
    await assert.rejects(build({ directories: new Map([['context', context]]) }, job), /cannot find local directory/);
  });

  test('where a directory lies is told only when asked to', async () => {
    const directories = new Map([['context', context]]);
    const job: typeof work = async (id) => {
      await manager.get(id);
      return { path: access.localDirectory([id], 'context') ?? 'unknown' };
    };
    const told = await build({ directories, sameMachine: true }, job);
    const silent = await build({ directories }, job);
    assert.deepEqual([told.exporterResponse.path, silent.exporterResponse.path], [context, 'unknown']);
  });

  test('secrets, their limit, and what is missing', async () => {
    const big = join(base, 'big');
    writeFileSync(big, Buffer.alloc(500 * 1024 + 1));
    const secrets = new Map([
      ['token', { value: Buffer.from('hunter2') }],
      ['big', { file: big }],
      ['gone', { file: join(base, 'gone') }],
    ]);
    const ask = (secret: string) =>
      build({ secrets }, async (id, signal) => ({
        value: Buffer.from(await access.secret([id], secret, signal)).toString(),
      }));
    assert.equal((await ask('token')).exporterResponse.value, 'hunter2');
    await assert.rejects(ask('big'), { code: 'invalid-argument' });
    await assert.rejects(ask('gone'), { code: 'not-found' });
    await assert.rejects(ask('other'), { code: 'not-found' });
  });

  test('an ssh agent answers for its keys; D6: what would change it never reaches it', async () => {
    const path = join(base, 'agent');
    const asked: number[] = [];
    const agent = createServer((socket) =>
      socket.on('data', (data: Buffer) => {
        asked.push(data[4] ?? 0);
        socket.write(agentMessage(12, 'keys'));
      }),
    );
    await new Promise<void>((resolve) => agent.listen(path, resolve));
    // List, add, remove one, remove all, lock, an extension, sign; the first comes in two pieces, the rest at once.
    const numbers = [11, 17, 18, 19, 22, 27, 13];
    const job: typeof work = async (id, signal) => {
      const connection = await access.sshAgent([id], 'default', signal);
      const answered: number[] = [];
      const done = Promise.withResolvers<void>();
      connection.on('data', (data: Buffer) => {
        for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at)) answered.push(data[at + 4] ?? 0);
        if (answered.length === numbers.length) done.resolve();
      });
      const bytes = Buffer.concat(numbers.map((number) => agentMessage(number, 'x'.repeat(10))));
      connection.write(bytes.subarray(0, 3));
      connection.write(bytes.subarray(3));
      await done.promise;
      connection.destroy();
      return { answered: answered.join(' ') };
    };
    try {
      const { exporterResponse } = await build({ sshAgents: new Map([['default', path]]) }, job);
      assert.equal(exporterResponse.answered, '12 5 5 5 5 5 12');
      assert.deepEqual(asked, [11, 13]);
    } finally {
      agent.close();
    }
  });

  test('logins: a name and a password, an identity token, none', async () => {
    const credentials = async (host: string) =>
      host === 'a' ? { username: 'u', secret: 's' } : host === 'b' ? { token: 't' } : undefined;
    const job: typeof work = async (id) => {
      const found = await Promise.all(['a', 'b', 'c'].map((host) => access.credentials([id], host)));
      return { found: JSON.stringify(found) };
    };
    const { exporterResponse } = await build({ credentials }, job);
    assert.deepEqual(JSON.parse(exporterResponse.found ?? ''), [{ username: 'u', secret: 's' }, { token: 't' }, null]);
  });

  test('outputs: an archive, a stream with its metadata, a directory', async () => {
    const file = join(base, 'out.tar');
    const directory = join(base, 'out');
    let streamed = '';
    const services: SessionServices = {
      exports: [
        { kind: 'file', path: file },
        {
          kind: 'stream',
          write: (bytes, metadata) => {
            streamed += `${metadata.get('image.name')}:${Buffer.from(bytes)}`;
          },
        },
        { kind: 'directory', path: directory },
      ],
    };
    await build(services, async (id) => {
      const session = await manager.get(id);
      await sendExportFile(session, chunks('one', 'two'), { exporter: 0 });
      await sendExportFile(session, chunks('three'), { exporter: 1, metadata: { 'image.name': 'x' } });
      await sendExportDirectory(session, context, { exporter: 2 });
      await assert.rejects(sendExportFile(session, chunks('x'), { exporter: 3 }), { code: 'not-found' });
      return {};
    });
    assert.equal(readFileSync(file, 'utf8'), 'onetwo');
    assert.equal(streamed, 'x:three');
    assert.equal(readFileSync(join(directory, 'link'), 'utf8'), 'b');
  });

  test('an archive that breaks off leaves no file', async () => {
    const file = join(base, 'broken.tar');
    const job: typeof work = async (id) => {
      const bytes = (async function* () {
        yield Buffer.from('half');
        throw new Error('disk full');
      })();
      await sendExportFile(await manager.get(id), bytes, { exporter: 0 });
      return {};
    };
    await assert.rejects(build({ exports: [{ kind: 'file', path: file }] }, job));
    for (let i = 0; i < 100 && existsSync(file); i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(existsSync(file), false);
  });

  test('an upload, once', async () => {
    const { exporterResponse } = await build({ uploads: new Map([['context', chunks('a', 'b')]]) }, async (id) => {
      const session = await manager.get(id);
      const text = await textOf(pullUpload(session, '/context'));
      await assert.rejects(textOf(pullUpload(session, '/context')), { code: 'not-found' });
      return { text };
    });
    assert.equal(exporterResponse.text, 'ab');
  });

  test('blobs of a layout, read and written', async () => {
    const directory = join(base, 'layout');
    const digest = digestOf('blob');
    const layouts = new Map([
      ['oci:mine', { directory, writable: true }],
      ['oci:fixed', { directory }],
    ]);
    await build({ layouts }, async (id) => {
      const session = await manager.get(id);
      const store = new SessionContent(session, 'oci:mine');
      await assert.rejects(store.size(digest), { code: 'not-found' });
      await assert.rejects(store.write(digestOf('other'), 4, chunks('blob')), { code: 'data-loss' });
      await store.write(digest, 4, chunks('bl', 'ob'));
      await store.write(digest, 4, chunks('blob'));
      assert.equal(await store.size(digest), 4);
      assert.equal(await textOf(store.read(digest, { offset: 1 })), 'lob');
      await assert.rejects(store.size('sha256:../../../etc/passwd'), { code: 'invalid-argument' });
      const fixed = new SessionContent(session, 'oci:fixed');
      await assert.rejects(fixed.write(digestOf('x'), 1, chunks('x')), { code: 'permission-denied' });
      await assert.rejects(new SessionContent(session, 'local:/etc').size(digest), { code: 'not-found' });
      return {};
    });
    assert.deepEqual(readdirSync(directory), ['blobs']);
  });

  test('a cancelled build is cancelled at the daemon, and its session ends', async () => {
    const aborter = new AbortController();
    const seen = Promise.withResolvers<void>();
    work = async (id, signal) => {
      await manager.get(id);
      signal.addEventListener('abort', () => seen.resolve());
      aborter.abort(new Error('Ctrl-C'));
      return new Promise(() => {});
    };
    await assert.rejects(solve(channel, { solve: {}, services: {}, signal: aborter.signal }), /Ctrl-C/);
    await seen.promise;
    for (let i = 0; i < 1000 && manager.size > 0; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(manager.size, 0);
  });

  test('a session that nobody opens is not waited for for ever', async () => {
    await assert.rejects(manager.get('nobody', { patience: 1 }), { code: 'not-found' });
  });
});

test('addresses of daemons', () => {
  assert.deepEqual(parseDaemonAddress('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock' });
  assert.deepEqual(parseDaemonAddress('tcp://[::1]:1234'), { kind: 'tcp', host: '::1', port: 1234 });
  for (const bad of ['', 'tcp://host', 'tcp://host:99999', 'http://x:1', 'unix://relative']) {
    assert.throws(() => parseDaemonAddress(bad), { code: 'invalid-argument' }, bad);
  }
});

test('a daemon that does not listen is told with its address', async () => {
  await assert.rejects(connectDaemon('unix:///nonexistent/socket'), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'unavailable');
    assert.match(error.message, /unix:\/\/\/nonexistent\/socket/);
    return true;
  });
});

/** One message of the ssh agent's protocol: length, number, content. */
function agentMessage(number: number, content: string): Buffer {
  const message = Buffer.from(`     ${content}`);
  message.writeUInt32BE(content.length + 1);
  message[4] = number;
  return message;
}
