import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

export interface LoadedModule {
  readonly exports: unknown;
  /** Stores what has been compiled by now for the next time, if nothing is stored yet. */
  keep(): void;
}

/**
 * Runs a CommonJS file with the code cache that an earlier run under the same name has kept. Unlike Node's own compile cache it
 * holds the functions that were compiled while the program ran too, which are most, and it lies beside the file, where only who
 * may change the program can write: compiled code in a directory for all would be run unseen.
 */
export function loadWithCodeCache(file: string, name: string | undefined, require: NodeJS.Require): LoadedModule {
  const path = name && join(dirname(file), 'code-cache', `${process.version}-${process.arch}-${name}`);
  // The bundle is ASCII; as latin1 it stays a string of one byte a character.
  const source = `(function (exports, require, module, __filename, __dirname) { ${readFileSync(file, 'latin1')}\n})`;
  const cachedData = path && readNewer(path, file);
  const script = new Script(source, {
    filename: file,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, file, dirname(file));
  return {
    exports: module.exports,
    keep() {
      if (path && script.cachedDataRejected !== false) write(path, script.createCachedData());
    },
  };
}

/** V8 checks a cache against its own version and flags, but of the source only the length. */
function readNewer(path: string, source: string): Buffer | undefined {
  try {
    return statSync(path).mtimeMs >= statSync(source).mtimeMs ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all; where the program's directory is not ours to write, the next start is slower. */
function write(path: string, data: Buffer): void {
  const aside = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(aside, 'wx', 0o644);
    writeFileSync(file, data);
    fsyncSync(file);
    closeSync(file);
    renameSync(aside, path);
  } catch {
    rmSync(aside, { force: true });
  }
}
