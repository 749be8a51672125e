import type { TomlTable, TomlValue } from 'smol-toml';
import { invalidArgument } from '../../base/errors.ts';

/**
 * A table of a configuration file, read key by key with its type checked. Keys that nobody asked for are unknown; a wrong type is
 * an error that names the key as it stands in the file.
 */
export class ConfigTable {
  readonly #values: TomlTable;
  readonly #path: string;
  readonly #read = new Set<string>();
  readonly #children: ConfigTable[] = [];

  constructor(values: TomlTable, path = '') {
    this.#values = values;
    this.#path = path;
  }

  text(key: string): string | undefined {
    return this.#value(key, 'a string', (value) => (typeof value === 'string' ? value : undefined));
  }

  boolean(key: string): boolean | undefined {
    return this.#value(key, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  integer(key: string): number | undefined {
    return this.#value(key, 'an integer', (value) => (Number.isSafeInteger(value) ? Number(value) : undefined));
  }

  /** A number, or text with a unit that only its reader understands. */
  quantity(key: string): string | undefined {
    return this.#value(key, 'a number or a string', (value) =>
      typeof value === 'string' || Number.isSafeInteger(value) ? `${value}` : undefined,
    );
  }

  texts(key: string): readonly string[] | undefined {
    return this.#value(key, 'a list of strings', (value) =>
      Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined,
    );
  }

  /** A table; an empty one when there is none. */
  table(key: string): ConfigTable {
    return this.#child(this.#value(key, 'a table', (value) => (isTable(value) ? value : undefined)) ?? {}, key);
  }

  tables(key: string): readonly ConfigTable[] {
    const tables = this.#value(key, 'a list of tables', (value) =>
      Array.isArray(value) && value.every(isTable) ? value : undefined,
    );
    return (tables ?? []).map((table, i) => this.#child(table, `${key}[${i}]`));
  }

  keys(): readonly string[] {
    return Object.keys(this.#values);
  }

  /** Keys that have no effect here, with all that is below them. */
  ignore(...keys: string[]): void {
    for (const key of keys) this.#read.add(key);
  }

  /** Full names of the keys that nobody has asked for, here and below. */
  unknownKeys(): readonly string[] {
    const own = this.keys().filter((key) => !this.#read.has(key));
    return [...own.map((key) => this.nameOf(key)), ...this.#children.flatMap((child) => child.unknownKeys())];
  }

  nameOf(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }

  #child(values: TomlTable, key: string): ConfigTable {
    const child = new ConfigTable(values, this.nameOf(key));
    this.#children.push(child);
    return child;
  }

  #value<T>(key: string, want: string, convert: (value: TomlValue) => T | undefined): T | undefined {
    this.#read.add(key);
    if (!Object.hasOwn(this.#values, key)) return undefined;
    const value = this.#values[key];
    const converted = value === undefined ? undefined : convert(value);
    if (converted === undefined)
      throw invalidArgument(`cannot use the value of ${JSON.stringify(this.nameOf(key))}: want ${want}`);
    return converted;
  }
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
