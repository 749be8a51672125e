import { isErrorCode, notFound } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { openEngine } from '../engine.ts';
import { UsageError } from '../flags.ts';
import { printDocuments } from '../output.ts';
import { reportError } from '../report-error.ts';

type Find = (engine: EngineClient, name: string) => Promise<object>;

const findContainer: Find = (engine, name) => engine.json('GET', `/containers/${encodeURIComponent(name)}/json`);
const findImage: Find = (engine, name) => engine.json('GET', `/images/${encodeURIComponent(name)}/json`);

/** docker tries containers before images. */
const findAny: Find = async (engine, name) => {
  for (const find of [findContainer, findImage]) {
    try {
      return await find(engine, name);
    } catch (error) {
      if (!isErrorCode(error, 'not-found')) throw error;
    }
  }
  throw notFound(`no such object: ${name}`);
};

function inspect(find: Find, command: string): CommandRun {
  return async ({ flags, args }, { locations }) => {
    if (args.length === 0) throw new UsageError(`"slipway ${command}" requires at least 1 argument`);
    const type = flags.text('type');
    const chosen = type === 'image' ? findImage : type === 'container' ? findContainer : find;
    const engine = await openEngine(locations);
    const documents: object[] = [];
    let code = 0;
    for (const name of args) {
      try {
        documents.push(await chosen(engine, name));
      } catch (error) {
        code = reportError(error);
      }
    }
    printDocuments(documents, flags.text('format'));
    return code;
  };
}

export const runInspect = inspect(findAny, 'inspect');
export const runImageInspect = inspect(findImage, 'image inspect');
export const runContainerInspect = inspect(findContainer, 'container inspect');
