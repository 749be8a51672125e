import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/** A system call that failed, in the form of Node's own errors: `code` such as 'ENOENT', `syscall`, `path`. */
export class SystemCallError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;

  constructor(errno: number, syscall: string, path?: string) {
    const code = getSystemErrorName(-errno);
    super(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`);
    this.name = 'SystemCallError';
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = path;
  }
}

type Koffi = typeof import('koffi');
type Library = ReturnType<Koffi['load']>;

let loaded: { readonly koffi: Koffi; readonly libc: Library } | undefined;

/** koffi costs some milliseconds to load, so it waits for the first call. */
function library(): { readonly koffi: Koffi; readonly libc: Library } {
  if (!loaded) {
    const koffi: Koffi = createRequire(import.meta.url)('koffi');
    loaded = { koffi, libc: koffi.load(null) };
  }
  return loaded;
}

/** A function of the C library, bound on its first call. `prototype` is C: `int mknod(const char *path, uint32_t mode, uint64_t dev)`. */
export function bind(prototype: string): (...args: unknown[]) => number {
  let bound: ((...args: unknown[]) => number) | undefined;
  return (...args) => {
    bound ??= library().libc.func(prototype);
    return bound(...args);
  };
}

/** The same on a thread of the pool, for calls that take long. Rejects when the call answers less than 0. */
export function bindAsync(prototype: string, syscall: string): (...args: unknown[]) => Promise<number> {
  let bound: ReturnType<Library['func']> | undefined;
  return (...args) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    bound ??= library().libc.func(prototype);
    bound.async(...args, (error: Error | null, result: number) => {
      if (error) reject(error);
      else if (result < 0) reject(new SystemCallError(library().koffi.errno(), syscall));
      else resolve(result);
    });
    return promise;
  };
}

/** Throws when a call answered -1. */
export function checked(result: number, syscall: string, path?: string): number {
  if (result < 0) throw new SystemCallError(library().koffi.errno(), syscall, path);
  return result;
}

/** Paths are bytes and must end for C; one with a NUL inside would be cut silently. */
export function cString(path: string | Uint8Array): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(path) : path;
  if (bytes.includes(0)) throw new SystemCallError(22, 'path', '(contains a NUL byte)');
  const text = Buffer.alloc(bytes.length + 1);
  text.set(bytes);
  return text;
}
