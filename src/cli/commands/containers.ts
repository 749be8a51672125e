import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { containerPath } from '../container/container-path.ts';
import { openEngine } from '../engine.ts';
import type { FlagReader } from '../flags.ts';
import { reportError } from '../report-error.ts';

type Call = (engine: EngineClient, path: string, flags: FlagReader) => Promise<unknown>;

/** Does something to each container and prints the names for which it worked; one failure does not keep the others. */
function forEach(call: Call): CommandRun {
  return async ({ flags, args }, { locations }) => {
    const engine = await openEngine(locations);
    let code = 0;
    for (const name of args) {
      try {
        await call(engine, containerPath(name), flags);
        console.log(name);
      } catch (error) {
        code = reportError(error);
      }
    }
    return code;
  };
}

const stopQuery = (flags: FlagReader) => ({
  t: flags.text('timeout') ?? flags.text('time'),
  signal: flags.text('signal'),
});

export const runRm = forEach((engine, path, flags) => {
  const query = { force: flags.boolean('force'), v: flags.boolean('volumes'), link: flags.boolean('link') };
  return engine.text('DELETE', path, { query });
});
export const runStop = forEach((engine, path, flags) =>
  engine.text('POST', `${path}/stop`, { query: stopQuery(flags) }),
);
export const runRestart = forEach((engine, path, flags) =>
  engine.text('POST', `${path}/restart`, { query: stopQuery(flags) }),
);
export const runKill = forEach((engine, path, flags) =>
  engine.text('POST', `${path}/kill`, { query: { signal: flags.text('signal') } }),
);
export const runPause = forEach((engine, path) => engine.text('POST', `${path}/pause`));
export const runUnpause = forEach((engine, path) => engine.text('POST', `${path}/unpause`));

export const runRename: CommandRun = async ({ args }, { locations }) => {
  const [name = '', newName = ''] = args;
  const engine = await openEngine(locations);
  await engine.text('POST', `${containerPath(name)}/rename`, { query: { name: newName } });
  return 0;
};

export const runWait: CommandRun = async ({ args }, { locations }) => {
  const engine = await openEngine(locations);
  let code = 0;
  for (const name of args) {
    try {
      const { StatusCode } = await engine.json<{ StatusCode: number }>('POST', `${containerPath(name)}/wait`);
      console.log(`${StatusCode}`);
    } catch (error) {
      code = reportError(error);
    }
  }
  return code;
};
