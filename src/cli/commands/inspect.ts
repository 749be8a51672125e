import { invalidArgument, isErrorCode, notFound } from '../../base/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandRun } from '../command.ts';
import { openEngine } from '../engine.ts';
import { printDocuments } from '../output.ts';
import { reportError } from '../report-error.ts';

type Find = (engine: EngineClient, name: string) => Promise<object>;

const findContainer: Find = (engine, name) => engine.json('GET', `/containers/${encodeURIComponent(name)}/json`);
const findVolume: Find = (engine, name) => engine.json('GET', `/volumes/${encodeURIComponent(name)}`);
const findImage: Find = (engine, name) => engine.json('GET', `/images/${encodeURIComponent(name)}/json`);

function finderOf(type: string | undefined): Find | undefined {
  if (type === undefined || type === '') return undefined;
  const finders: Readonly<Record<string, Find>> = { container: findContainer, image: findImage, volume: findVolume };
  if (!Object.hasOwn(finders, type))
    throw invalidArgument(`cannot inspect objects of type ${JSON.stringify(type)}`, {
      hint: 'want container, image or volume',
    });
  return finders[type];
}

/** docker tries containers before images. */
const findAny: Find = async (engine, name) => {
  for (const find of [findContainer, findImage, findVolume]) {
    try {
      return await find(engine, name);
    } catch (error) {
      if (!isErrorCode(error, 'not-found')) throw error;
    }
  }
  throw notFound(`no such object: ${name}`);
};

function inspect(find: Find): CommandRun {
  return async ({ flags, args }, { locations }) => {
    const chosen = finderOf(flags.text('type')) ?? find;
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

export const runInspect = inspect(findAny);
export const runImageInspect = inspect(findImage);
export const runContainerInspect = inspect(findContainer);
export const runVolumeInspect = inspect(findVolume);
