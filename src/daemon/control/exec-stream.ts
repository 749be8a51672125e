import type { ExecMessage, ExecMessageSchema, InitMessage } from '../../api/gen/gateway_pb.js';
import type { InitOf } from '../../api/message/schema.ts';
import { AsyncQueue } from '../../base/async.ts';
import { errorMessage, invalidArgument, notFound, SlipwayError } from '../../base/errors.ts';
import type { ExitStatus, RunningProcess } from '../../runtime/runtime.ts';
import type { ExecContainer } from './exec-container.ts';
import { PacedQueue } from './paced-queue.ts';

type Answer = InitOf<typeof ExecMessageSchema>;
type AnswerInput = NonNullable<Exclude<Answer, ExecMessage>['Input']>;

/** What exit codes cannot say (moby/buildkit, frontend/gateway/pb/exit.go). */
const unknownExit = 255;
/** google.rpc.Code. */
const unknownError = 2;

interface Running {
  readonly stdin: AsyncQueue<Uint8Array>;
  process: RunningProcess | undefined;
}

/** One `ExecProcess` call: processes of a frontend's containers, their input and output interleaved. */
export class ExecStream {
  readonly #find: (containerId: string) => Promise<ExecContainer>;
  readonly #answers = new PacedQueue<Answer>();
  readonly #running = new Map<string, Running>();
  readonly #ends: Promise<void>[] = [];

  constructor(find: (containerId: string) => Promise<ExecContainer>) {
    this.#find = find;
  }

  async *serve(messages: AsyncIterable<ExecMessage>): AsyncGenerator<Answer, void> {
    let failure: unknown;
    const reading = this.#read(messages)
      .catch((error: unknown) => {
        failure = error;
      })
      .then(() => Promise.all(failure === undefined ? this.#ends : []))
      .finally(() => this.#answers.end());
    try {
      yield* this.#answers;
      await reading;
      if (failure !== undefined) throw failure;
    } finally {
      this.#answers.close();
      for (const { process, stdin } of this.#running.values()) {
        stdin.end();
        process?.kill('SIGKILL').catch(() => {
          // It has ended by itself.
        });
      }
    }
  }

  async #read(messages: AsyncIterable<ExecMessage>): Promise<void> {
    for await (const { ProcessID: id, Input: input } of messages) {
      if (id === '') throw invalidArgument('ProcessID required');
      if (input.case === 'Init') await this.#start(id, input.value);
      else await this.#tell(id, input);
    }
  }

  async #tell(id: string, input: ExecMessage['Input']): Promise<void> {
    const running = this.#running.get(id);
    if (!running) throw notFound(`IO for process "${id}" not found`);
    switch (input.case) {
      case 'File':
        if (input.value.EOF) running.stdin.end();
        else running.stdin.push(input.value.Data);
        break;
      case 'Resize':
        await unlessEnded(async () => running.process?.resize(input.value.Rows, input.value.Cols));
        break;
      case 'Signal':
        await unlessEnded(() => running.process?.kill(`SIG${input.value.Name.replace(/^SIG/, '')}`));
        break;
      default:
        throw invalidArgument(`cannot use a message of kind ${JSON.stringify(input.case)} for process "${id}"`);
    }
  }

  async #start(id: string, init: InitMessage): Promise<void> {
    if (this.#running.has(id)) throw new SlipwayError('already-exists', `Process ${id} already exists`);
    const container = await this.#find(init.ContainerID);
    const running: Running = { stdin: new AsyncQueue(), process: undefined };
    this.#running.set(id, running);
    const started = Promise.withResolvers<void>();
    const output = (Fd: number) => async (chunk: Uint8Array) => {
      const Data = Buffer.from(chunk);
      await started.promise;
      if (init.Fds.includes(Fd)) await this.#say(id, { case: 'File', value: { Fd, Data } });
    };
    const stdin = init.Fds.includes(0) ? running.stdin : undefined;
    try {
      running.process = await container.start(init, { stdin, stdout: output(1), stderr: output(2) });
    } catch (error) {
      if (error instanceof SlipwayError && error.code === 'permission-denied') throw error;
      this.#say(id, { case: 'Started', value: {} });
      this.#ends.push(this.#end(id, init, { code: unknownExit, message: errorMessage(error) }));
      return;
    } finally {
      started.resolve();
    }
    this.#say(id, { case: 'Started', value: {} });
    this.#ends.push(running.process.exited.then((status) => this.#end(id, init, exitOf(init, status))));
  }

  async #end(id: string, { Fds }: InitMessage, { code, message }: { code: number; message: string }): Promise<void> {
    for (const Fd of Fds) if (Fd > 0) this.#say(id, { case: 'File', value: { Fd, EOF: true } });
    this.#running.get(id)?.stdin.end();
    const failure = code === 0 ? {} : { Error: { code: unknownError, message, details: [] } };
    this.#say(id, { case: 'Exit', value: { Code: code, ...failure } });
    await this.#say(id, { case: 'Done', value: {} });
    this.#running.delete(id);
  }

  #say(ProcessID: string, Input: AnswerInput): Promise<void> {
    return this.#answers.push({ ProcessID, Input });
  }
}

/** A process may end while something is on its way to it. */
async function unlessEnded(act: () => Promise<void> | undefined): Promise<void> {
  try {
    await act();
  } catch {
    // Its exit tells the frontend.
  }
}

function exitOf({ Meta: meta }: InitMessage, { code }: ExitStatus): { code: number; message: string } {
  const what = JSON.stringify(meta?.args.join(' '));
  return { code, message: `process ${what} did not complete successfully: exit code: ${code}` };
}
