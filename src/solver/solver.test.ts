import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Digest, digestOf } from '../base/digest.ts';
import { MemoryCacheStore } from './cache-store.ts';
import type { Handle, Op, OpContext } from './op.ts';
import type { ProgressSink, VertexEvent } from './progress.ts';
import { SolveError } from './solve-error.ts';
import { Solver } from './solver.ts';
import type { StepTrace } from './step-trace.ts';
import type { Vertex } from './vertex.ts';

/** A made-up step: its result is a text; how often it ran is counted by name. */
interface Step {
  readonly name: string;
  readonly from?: readonly Step[];
  /** Positions of inputs that count by their content. */
  readonly byContent?: readonly number[];
  readonly fresh?: boolean;
  /** Tells steps of different builds apart that do the same, as a local source's session does. */
  readonly unique?: string;
  readonly cacheable?: boolean;
  readonly result?: (inputs: readonly string[], context: OpContext) => string | Promise<string>;
}

interface BuildOptions {
  readonly signal?: AbortSignal;
  readonly events?: VertexEvent[];
  readonly traces?: StepTrace[];
}

class World {
  readonly runs: string[] = [];
  readonly live = new Set<object>();
  readonly cache = new MemoryCacheStore<string>((value) => this.hold(value));
  readonly #steps = new Map<Digest, Step>();
  readonly solver: Solver<string>;

  constructor(parallelism = 1000) {
    this.solver = new Solver({ makeOp: (vertex) => this.#op(vertex.digest), cache: this.cache, parallelism });
  }

  hold(value: string): Handle<string> {
    const token = {};
    this.live.add(token);
    return { value, clone: () => this.hold(value), release: () => this.live.delete(token) };
  }

  vertex(step: Step): Vertex {
    const inputs = (step.from ?? []).map((from) => ({ vertex: this.vertex(from), index: 0 }));
    const digest = digestOf(JSON.stringify([step.name, step.unique, inputs.map((input) => input.vertex.digest)]));
    this.#steps.set(digest, step);
    return { digest, name: step.name, inputs, ignoreCache: step.fresh === true };
  }

  #op(digest: Digest): Op<string> {
    const step = this.#steps.get(digest);
    if (!step) throw new Error('no such step');
    return {
      cacheMap: async () => ({
        digest: digestOf(step.name + (step.cacheable === false ? digest : '')),
        inputs: (step.from ?? []).map((_, i) =>
          step.byContent?.includes(i) ? { contentKey: async (input: string) => digestOf(input) } : {},
        ),
        cacheable: step.cacheable !== false,
      }),
      run: async (inputs, context) => {
        this.runs.push(step.name);
        return [this.hold(await (step.result ?? ((given) => `${step.name}(${given.join()})`))(inputs, context))];
      },
    };
  }

  /** A step on another one, without describing all beneath again. */
  chained(name: string, from: Vertex | undefined): Vertex {
    const digest = digestOf(`${name} on ${from?.digest}`);
    this.#steps.set(digest, { name, ...(from ? { from: [{ name: 'one before' }] } : {}), result: () => name });
    return { digest, name, inputs: from ? [{ vertex: from, index: 0 }] : [], ignoreCache: false };
  }

  build(step: Step, options: BuildOptions = {}): Promise<string> {
    return this.solve(this.vertex(step), options);
  }

  async traces(step: Step): Promise<StepTrace[]> {
    const traces: StepTrace[] = [];
    await this.solve(this.vertex(step), { traces });
    return traces;
  }

  async solve(vertex: Vertex, options: BuildOptions = {}): Promise<string> {
    const sink: ProgressSink = {
      vertex: (event) => options.events?.push(event),
      status: () => {},
      log: () => {},
      warning: () => {},
    };
    const signal = options.signal ?? new AbortController().signal;
    const job = this.solver.openJob({ sink, sessions: [], signal });
    try {
      const handle = await job.solve({ vertex, index: 0 });
      handle.release();
      options.traces?.push(...job.traces());
      return handle.value;
    } finally {
      job.close();
    }
  }
}

const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function context(content: string, build: string): Step {
  return { name: 'context', unique: build, cacheable: false, result: () => content };
}

suite('solver', () => {
  test('runs each step once and nothing the second time', async () => {
    const world = new World();
    const base: Step = { name: 'base' };
    const target: Step = {
      name: 'join',
      from: [
        { name: 'left', from: [base] },
        { name: 'right', from: [base] },
      ],
    };
    assert.equal(await world.build(target), 'join(left(base()),right(base()))');
    assert.deepEqual(world.runs.toSorted(), ['base', 'join', 'left', 'right']);
    await world.build(target);
    assert.equal(world.runs.length, 4);
    await settled();
    assert.equal(world.live.size, 0, 'every handle was released');
  });

  test('a copy runs again when the content changes, and only then', async () => {
    const world = new World();
    const build = (content: string, id: string) =>
      world.build({
        name: 'run',
        from: [{ name: 'copy', from: [{ name: 'base' }, context(content, id)], byContent: [1] }],
      });
    await build('one', 'a');
    await build('one', 'b');
    assert.deepEqual(world.runs.toSorted(), ['base', 'context', 'context', 'copy', 'run']);
    world.runs.length = 0;
    await build('two', 'c');
    assert.deepEqual(world.runs, ['context', 'copy', 'run']);
  });

  test('a stage that a link answers for is not solved', async () => {
    const world = new World();
    const target: Step = { name: 'copy', from: [{ name: 'base' }, { name: 'stage' }], byContent: [1] };
    await world.build(target);
    world.runs.length = 0;
    await world.build(target);
    assert.deepEqual(world.runs, []);
  });

  test('another producer of the same content is a hit', async () => {
    const world = new World();
    const from = (name: string): Step => ({
      name: 'copy',
      from: [{ name: 'base' }, { name, result: () => 'same bytes' }],
      byContent: [1],
    });
    await world.build(from('gcc'));
    world.runs.length = 0;
    await world.build(from('clang'));
    assert.deepEqual(world.runs, ['clang']);
  });

  test('ignoring the cache runs the step and what is built on it, and keeps the new results', async () => {
    const world = new World();
    let count = 0;
    const chain = (fresh: boolean): Step => ({
      name: 'last',
      from: [{ name: 'date', from: [{ name: 'base' }], fresh, result: () => `now ${++count}` }],
    });
    assert.equal(await world.build(chain(false)), 'last(now 1)');
    assert.equal(await world.build(chain(true)), 'last(now 2)');
    assert.equal(await world.build(chain(false)), 'last(now 2)');
    assert.deepEqual(world.runs.filter((name) => name === 'base').length, 1);
  });

  test('20 builds that share steps through different contexts run each step once', async () => {
    const world = new World();
    const build = (id: number) =>
      world.build({
        name: 'run',
        from: [{ name: 'copy', from: [{ name: 'base' }, context('same', `${id}`)], byContent: [1] }],
      });
    await Promise.all(Array.from({ length: 20 }, (_, id) => build(id)));
    assert.deepEqual(world.runs.filter((name) => name !== 'context').toSorted(), ['base', 'copy', 'run']);
    await settled();
    assert.equal(world.live.size, 0);
  });

  test('500 concurrent vertices', async () => {
    const world = new World();
    const leaves = Array.from({ length: 500 }, (_, i) => ({ name: `leaf ${i}` }));
    await world.build({ name: 'all', from: leaves });
    assert.equal(new Set(world.runs).size, 501);
    assert.equal(world.runs.length, 501);
  });

  test('stages that are copied from, one copy on another, run side by side', async () => {
    const world = new World();
    let running = 0;
    let most = 0;
    const all = Promise.withResolvers<void>();
    const result = async () => {
      most = Math.max(most, ++running);
      if (running === 4) all.resolve();
      await all.promise;
      return '';
    };
    let target: Step = { name: 'base' };
    for (let i = 0; i < 4; i++)
      target = { name: `copy ${i}`, from: [target, { name: `stage ${i}`, result }], byContent: [1] };
    await world.build(target);
    assert.equal(most, 4);
    world.runs.length = 0;
    await world.build(target);
    assert.deepEqual(world.runs, []);
  });

  test('at most N ops run at a time', async () => {
    const world = new World(3);
    let running = 0;
    let most = 0;
    const result = async () => {
      most = Math.max(most, ++running);
      await settled();
      running--;
      return '';
    };
    await world.build({ name: 'all', from: Array.from({ length: 12 }, (_, i) => ({ name: `leaf ${i}`, result })) });
    assert.equal(most, 3);
  });

  test('an error names its step, is shown there only, and is tried again by the next build', async () => {
    const world = new World();
    let broken = true;
    const step: Step = {
      name: 'flaky',
      result: () => {
        if (broken) throw new Error('exit code 7');
        return 'fine';
      },
    };
    const events: VertexEvent[] = [];
    await assert.rejects(world.build({ name: 'after', from: [step] }, { events }), (error: unknown) => {
      assert.ok(error instanceof SolveError);
      assert.equal(error.vertexName, 'flaky');
      assert.match(error.message, /exit code 7/);
      return true;
    });
    assert.deepEqual(
      events.filter((event) => event.error).map((event) => event.name),
      ['flaky'],
    );
    broken = false;
    assert.equal(await world.build({ name: 'after', from: [step] }), 'after(fine)');
  });

  test('cancelling one of two builds leaves the shared step running for the other', async () => {
    const world = new World();
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const stops: string[] = [];
    const slow: Step = {
      name: 'slow',
      result: async (_, { signal }) => {
        signal.addEventListener('abort', () => stops.push('slow'));
        started.resolve();
        await finish.promise;
        return 'done';
      },
    };
    const first = new AbortController();
    const one = world.build({ name: 'one', from: [slow] }, { signal: first.signal });
    const two = world.build({ name: 'two', from: [slow] });
    await started.promise;
    first.abort(new Error('Ctrl-C'));
    await assert.rejects(one, /Ctrl-C/);
    assert.deepEqual(stops, []);
    finish.resolve();
    assert.equal(await two, 'two(done)');
  });

  test('cancelling the only build stops the step', async () => {
    const world = new World();
    const started = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const slow: Step = {
      name: 'slow',
      result: (_, { signal }) => {
        started.resolve();
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            stopped.resolve();
            reject(signal.reason);
          });
        });
      },
    };
    const aborter = new AbortController();
    const build = world.build(slow, { signal: aborter.signal });
    await started.promise;
    aborter.abort(new Error('Ctrl-C'));
    await assert.rejects(build, /Ctrl-C/);
    await stopped.promise;
  });

  test('what the cache answered for shows as cached, what ran does not', async () => {
    const world = new World();
    await world.build({ name: 'copy', from: [{ name: 'base' }] });
    const events: VertexEvent[] = [];
    await world.build({ name: 'last', from: [{ name: 'copy', from: [{ name: 'base' }] }] }, { events });
    const last = new Map(events.map((event) => [event.name, event]));
    assert.deepEqual(
      [last.get('base')?.cached, last.get('copy')?.cached, last.get('last')?.cached],
      [true, true, false],
    );
    assert.ok([...last.values()].every((event) => event.started && event.completed));
  });

  test('a graph of 10,000 steps on top of each other', async () => {
    const world = new World();
    let vertex: Vertex | undefined;
    for (let i = 0; i < 10_000; i++) vertex = world.chained(`${i}`, vertex);
    assert.ok(vertex);
    for (const expected of [10_000, 0]) {
      world.runs.length = 0;
      const events: VertexEvent[] = [];
      await world.solve(vertex, { events });
      assert.equal(world.runs.length, expected);
      assert.equal(new Set(events.filter((event) => event.completed).map((event) => event.digest)).size, 10_000);
    }
  });

  test('equal work that two builds began at the same time runs once, and both see it', async () => {
    const world = new World();
    const finish = Promise.withResolvers<void>();
    const result = async () => {
      await finish.promise;
      return 'made';
    };
    const seen = ['a', 'b'].map((): VertexEvent[] => []);
    const builds = seen.map((events, i) =>
      world.build({ name: 'work', from: [context('same', `${i}`)], byContent: [0], result }, { events }),
    );
    await settled();
    finish.resolve();
    assert.deepEqual(await Promise.all(builds), ['made', 'made']);
    assert.equal(world.runs.filter((name) => name === 'work').length, 1);
    for (const events of seen) assert.ok(events.some(({ name, completed }) => name === 'work' && completed));
  });

  test('what the target is not made of never runs, though the same job knows it', async () => {
    const world = new World();
    const unused: Step = { name: 'unused' };
    world.vertex(unused);
    await world.build({ name: 'target', from: [{ name: 'base' }] });
    assert.deepEqual(world.runs, ['base', 'target']);
  });

  test('a failing step ends the build while its siblings are stopped, and leaves nothing held', async () => {
    const world = new World();
    const begun = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const sibling: Step = {
      name: 'sibling',
      result: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          begun.resolve();
          signal.addEventListener('abort', () => {
            stopped.resolve();
            reject(signal.reason);
          });
        }),
    };
    const failing: Step = {
      name: 'failing',
      result: async () => {
        await begun.promise;
        throw new Error('exit code 1');
      },
    };
    await assert.rejects(world.build({ name: 'all', from: [sibling, failing] }), /exit code 1/);
    await stopped.promise;
    await settled();
    assert.equal(world.live.size, 0);
    assert.ok(!world.runs.includes('all'));
  });

  test('only the stage of --no-cache-filter and what is made of it runs again', async () => {
    const world = new World();
    const target = (fresh: boolean): Step => ({
      name: 'join',
      from: [
        { name: 'kept', from: [{ name: 'base' }] },
        { name: 'filtered', from: [{ name: 'base' }], fresh },
      ],
    });
    await world.build(target(false));
    world.runs.length = 0;
    await world.build(target(true));
    assert.deepEqual(world.runs, ['filtered', 'join']);
  });

  test('a job tells how its steps were keyed and how they went', async () => {
    const world = new World();
    const step = (content: string): Step => ({
      name: 'copy',
      from: [{ name: 'base' }, context(content, content)],
      byContent: [1],
    });
    const first = await world.traces(step('one'));
    const second = await world.traces(step('two'));
    const copies = [first, second].map((traces) => traces.find(({ vertex }) => vertex.name === 'copy'));
    assert.deepEqual(copies[0]?.keying?.contentInputs, [1]);
    assert.equal(copies[0]?.keying?.opDigest, copies[1]?.keying?.opDigest);
    assert.equal(copies[0]?.keying?.inputKeys[0], copies[1]?.keying?.inputKeys[0]);
    assert.deepEqual(
      copies.map((copy) => copy?.keying?.inputKeys[1]),
      [digestOf('one'), digestOf('two')],
    );
    assert.equal(second.find(({ vertex }) => vertex.name === 'base')?.event.cached, true);
  });
});
