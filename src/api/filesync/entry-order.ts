import { invalidArgument } from '../../base/errors.ts';

interface Level {
  readonly directory: string;
  lastName: string;
}

const longestPath = 4096;

/**
 * Holds a list of files from outside to DiffCopy's rules: clean relative paths, each inside a directory that was listed before,
 * none twice. What passes cannot lead out of the destination by name, nor through a symlink of the same list.
 */
export class EntryOrder {
  readonly #levels: Level[] = [{ directory: '', lastName: '' }];

  /** Throws invalid-argument for a path that may not come now. */
  check(path: string, isDirectory: boolean): void {
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    if (name === '' || name === '.' || name === '..' || path.length > longestPath || path.includes('\0')) {
      throw refused(path, 'it is not a clean relative path');
    }
    const parent = slash < 0 ? '' : path.slice(0, slash);
    let level = this.#levels.at(-1);
    while (level && level.directory !== parent && this.#levels.length > 1) {
      this.#levels.pop();
      level = this.#levels.at(-1);
    }
    if (!level || level.directory !== parent) throw refused(path, 'its directory was not listed before it');
    if (level.lastName !== '' && compareNames(level.lastName, name) >= 0) throw refused(path, 'it is out of order');
    level.lastName = name;
    if (isDirectory) this.#levels.push({ directory: path, lastName: '' });
  }
}

function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function refused(path: string, why: string): Error {
  return invalidArgument(`cannot receive ${JSON.stringify(path.slice(0, 200))}: ${why}`);
}
