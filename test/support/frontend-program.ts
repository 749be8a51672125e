/** A frontend for tests, bundled into an image: the build arg MODE says what it does. */
import { duplexPair } from 'node:stream';
import { LLBBridge } from '../../src/api/gen/gateway_pb.js';
import { DefinitionSchema, NetMode, OpSchema } from '../../src/api/gen/ops_pb.js';
import { GrpcChannel } from '../../src/api/grpc/channel.ts';
import { create } from '../../src/api/message/create.ts';
import { toBinary } from '../../src/api/message/encode.ts';
import { digestOf } from '../../src/base/digest.ts';
import { marshalDefinition } from '../../src/graph/definition.ts';
import { fileOp, sourceOp } from '../../src/graph/ops.ts';
import type { Edge } from '../../src/graph/vertex.ts';

const [here, there] = duplexPair();
process.stdin.pipe(there).pipe(process.stdout);
const bridge = new GrpcChannel(here).client(LLBBridge);

const options: Record<string, string> = {};
for (const [name, text = ''] of Object.entries(process.env)) {
  const found = /^BUILDKIT_FRONTEND_OPT_\d+$/.test(name) ? /^([^=]*)=([\s\S]*)$/.exec(text) : undefined;
  if (found?.[1]) options[found[1]] = found[2] ?? '';
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const definitionOf = (edge: Edge) => marshalDefinition(edge);
const makeFile = (path: string) =>
  fileOp(undefined, [
    { action: { case: 'mkfile', value: { path, mode: 0o644, data: Buffer.from('evil'), timestamp: -1n } } },
  ]);

/** What a hostile frontend may try; each call answers with an error or does nothing outside of the build. */
const attempts: Record<string, () => Promise<unknown>> = {
  'an empty definition': () => bridge.solve({ Definition: { def: [Buffer.alloc(0)] }, Evaluate: true }),
  'an op without a kind': () =>
    bridge.solve({ Definition: { def: [toBinary(OpSchema, create(OpSchema, { constraints: {} }))] }, Evaluate: true }),
  'an exec without anything': () =>
    bridge.solve({
      Definition: definitionOf(rawOp({ op: { case: 'exec', value: {} } })),
      Evaluate: true,
    }),
  'a mount of an input that is not there': () =>
    bridge.solve({
      Definition: definitionOf(
        rawOp({
          op: { case: 'exec', value: { meta: { args: ['x'] }, mounts: [{ dest: '/', input: 77n, output: 0n }] } },
        }),
      ),
      Evaluate: true,
    }),
  'a file action on a negative input': () =>
    bridge.solve({
      Definition: definitionOf(
        rawOp({
          op: {
            case: 'file',
            value: { actions: [{ input: -9n, secondaryInput: 99n, output: 5n, action: { case: undefined } }] },
          },
        }),
      ),
      Evaluate: true,
    }),
  'a path out of the root': () =>
    bridge.solve({ Definition: definitionOf(makeFile('/../../../../../../canary-made')), Evaluate: true }),
  'a directory of the client by a path': () =>
    bridge.solve({
      Definition: definitionOf(sourceOp('local://../../../../../../etc', {})),
      Evaluate: true,
    }),
  'a layout by a path': () =>
    bridge.solve({
      Definition: definitionOf(
        sourceOp(`oci-layout://x/../../y@sha256:${'0'.repeat(64)}`, { 'oci.store': '../../../etc', 'oci.session': '' }),
      ),
      Evaluate: true,
    }),
  'a name that is no digest': () => bridge.readFile({ Ref: '../../etc/passwd', FilePath: 'x' }),
  'a file out of an empty root': () => bridge.readFile({ Ref: '', FilePath: '../../../../etc/shadow' }),
  'a pattern without an end': () => bridge.readDir({ Ref: '', DirPath: '/', IncludePattern: '[' }),
  'an image with a strange name': () => bridge.resolveImageConfig({ Ref: '../../../../etc/passwd' }),
  'a negative range': () => bridge.readFile({ Ref: '', FilePath: 'x', Range: { Offset: -5n, Length: -5n } }),
  'a container that is not there': () => bridge.releaseContainer({ ContainerID: '../..' }),
};

function rawOp(init: Parameters<typeof create<typeof OpSchema>>[1]): Edge {
  const op = create(OpSchema, init);
  const bytes = toBinary(OpSchema, op);
  // Only what is marshalled counts here.
  return { vertex: { ...makeFile('/x').vertex, op, bytes, digest: digestOf(bytes) }, index: 0 };
}

async function attack(): Promise<string[]> {
  const answers: string[] = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      answers.push(`${name}: done`);
    } catch (error) {
      answers.push(`${name}: ${textOf(error)}`);
    }
  }
  return answers;
}

/** Runs a process in a container and answers what it printed and how it ended. */
async function run(ContainerID: string, args: string[], input: string): Promise<string> {
  const ProcessID = args.join(' ');
  async function* messages() {
    const Meta = { args, cwd: '/', env: ['PATH=/bin'] };
    yield { ProcessID, Input: { case: 'Init', value: { ContainerID, Meta, Fds: [0, 1, 2] } } } as const;
    yield { ProcessID, Input: { case: 'File', value: { Fd: 0, Data: Buffer.from(input) } } } as const;
    yield { ProcessID, Input: { case: 'File', value: { Fd: 0, EOF: true } } } as const;
    await done.promise;
  }
  const done = Promise.withResolvers<void>();
  const printed: Record<number, string> = { 1: '', 2: '' };
  let code = 0;
  for await (const { Input } of bridge.execProcess(messages())) {
    if (Input.case === 'File') printed[Input.value.Fd] += Buffer.from(Input.value.Data).toString();
    if (Input.case === 'Exit') code = Input.value.Code;
    if (Input.case === 'Done') done.resolve();
  }
  return `${printed[1]} ${printed[2]} (${code})`;
}

const modes: Record<string, () => Promise<void>> = {
  /** Lets the builder's own frontend do the work, after a look at the Dockerfile. */
  async forward() {
    const { Workers, FrontendAPICaps } = await bridge.ping({});
    const { result } = await bridge.solve({ Frontend: 'dockerfile.v0', FrontendOpt: options });
    const ref = result?.result.case === 'ref' ? result.result.value.id : '';
    const { Data } = await bridge.readFile({ Ref: ref, FilePath: '/made' });
    process.stderr.write(`found ${Buffer.from(Data).toString().trim()}, ${Workers.length} worker\n`);
    if (FrontendAPICaps.length === 0) throw new Error('no capabilities');
    await bridge.return({ ...(result ? { result } : {}) });
  },
  /** Runs processes of its own, and leaves one behind. */
  async containers() {
    const { result } = await bridge.solve({
      Definition: definitionOf(sourceOp('docker-image://docker.io/library/busybox:latest', {})),
    });
    const resultID = result?.result.case === 'ref' ? result.result.value.id : '';
    for (const ContainerID of ['first', 'second']) {
      const Mounts = [{ dest: '/', resultID }];
      await bridge.newContainer({ ContainerID, Mounts });
    }
    const idle = bridge.execProcess(
      (async function* () {
        const Meta = { args: ['sleep', '98765'], cwd: '/', env: ['PATH=/bin'] };
        yield { ProcessID: 'idle', Input: { case: 'Init', value: { ContainerID: 'second', Meta } } } as const;
        await new Promise(() => {});
      })(),
    );
    await idle[Symbol.asyncIterator]().next();
    const keeper = run('first', ['sh', '-c', 'cat > /f; until test -e /end; do :; done'], 'kept');
    const seen = await run(
      'first',
      ['sh', '-c', 'until test -s /f; do :; done; cat /f; echo -n no >&2; touch /end; exit 7'],
      '',
    );
    const { Data } = await bridge.readFileContainer({ Ref: 'first', FilePath: '/f', MountIndex: 0 });
    process.stderr.write(`${seen} and ${Buffer.from(Data)}\n`);
    await keeper;
    await bridge.releaseContainer({ ContainerID: 'first' });
    const released = await run('first', ['true'], '').catch(textOf);
    const host = await bridge
      .newContainer({ ContainerID: 'third', Network: NetMode.HOST, Mounts: [{ dest: '/', resultID }] })
      .catch(textOf);
    process.stderr.write(`${released}; ${host}\n`);
    await bridge.return({ ...(result ? { result } : {}) });
  },
  async error() {
    await bridge.return({ error: { code: 3, message: 'the file is written in verse', details: [] } });
  },
  async crash() {
    process.stderr.write('out of ideas\n');
    process.exit(3);
  },
  async silent() {
    process.exit(0);
  },
  async junk() {
    process.stdout.write(Buffer.alloc(100_000, 'junk'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.exit(1);
  },
  async recurse() {
    const { result } = await bridge.solve({ Frontend: 'gateway.v0', FrontendOpt: options });
    await bridge.return({ ...(result ? { result } : {}) });
  },
  async attack() {
    for (const answer of await attack()) process.stderr.write(`${answer}\n`);
    await bridge.solve({ Definition: create(DefinitionSchema) });
    await bridge.return({ error: { code: 9, message: 'all tried', details: [] } });
  },
};

try {
  await modes[options['build-arg:MODE'] ?? 'forward']?.();
  process.exit(0);
} catch (error) {
  await bridge.return({ error: { code: 13, message: textOf(error), details: [] } });
  process.exit(0);
}
