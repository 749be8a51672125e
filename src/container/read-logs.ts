import { close, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { abortable } from '../base/async.ts';
import { systemErrorCode } from '../base/errors.ts';
import type { JsonLog, OutputStream } from './json-log.ts';

export interface LogQuery {
  /** Lines from the end; absent: all. Counted before `since` and `until`, as docker does. */
  readonly tail?: number | undefined;
  /** Times as the log writes them; `until` is not included. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** The log that is being written: lines are given as they come, until it ends. */
  readonly follow?: JsonLog | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LogLine {
  readonly text: string;
  readonly stream: OutputStream;
  readonly time: string;
}

const readFrom = promisify(read);
const closeFile = promisify(close);
const blockSize = 256 * 1024;

/** The lines of a log with those that were put aside, oldest first, in batches. No file is no line. */
export async function* readLogs(path: string, query: LogQuery): AsyncGenerator<readonly LogLine[], void> {
  let generation = query.follow?.generation ?? 0;
  // Opened at once: a log that is put aside meanwhile is still the same file.
  const files = openAll(path);
  try {
    let offset = skipToTail(files, query.tail);
    for (;;) {
      const fd = files.shift();
      if (fd === undefined) return;
      const isLast = files.length === 0;
      const follow = isLast ? query.follow : undefined;
      try {
        for await (const lines of readFile(fd, offset, follow, generation, query.signal)) {
          const wanted = lines.filter(({ time }) => time >= (query.since ?? '') && time < (query.until ?? '~'));
          if (wanted.length > 0) yield wanted;
          if (query.until !== undefined && lines.some(({ time }) => time >= (query.until ?? ''))) return;
        }
      } finally {
        await closeFile(fd);
      }
      offset = 0;
      if (follow && follow.generation > generation) {
        generation++;
        files.push(...openOne(nameOf(path, follow.generation - generation)));
      }
    }
  } finally {
    await Promise.all(files.map((fd) => closeFile(fd)));
  }
}

const nameOf = (path: string, index: number) => (index === 0 ? path : `${path}.${index}`);

function openOne(path: string): number[] {
  try {
    return [openSync(path, 'r')];
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function openAll(path: string): number[] {
  const files: number[] = [];
  for (let index = 0; ; index++) {
    const opened = openOne(nameOf(path, index));
    if (opened.length === 0 && index > 0) return files;
    files.unshift(...opened);
  }
}

/** Drops files that lie before the tail; answers where it begins in the first one left. */
function skipToTail(files: number[], tail: number | undefined): number {
  if (tail === undefined) return 0;
  let wanted = tail;
  for (let index = files.length - 1; index >= 0; index--) {
    const { offset, lines } = tailOf(files[index] ?? -1, wanted);
    wanted -= lines;
    if (wanted > 0 && offset === 0) continue;
    for (const fd of files.splice(0, index)) close(fd);
    return offset;
  }
  return 0;
}

function tailOf(fd: number, wanted: number): { readonly offset: number; readonly lines: number } {
  const block = Buffer.allocUnsafe(64 * 1024);
  const { size } = fstatSync(fd);
  let lines = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const length = readSync(fd, block, 0, end - start, start);
    for (let at = length - 1; at >= 0; at--) {
      if (block[at] !== 10) continue;
      // Each newline ends one line; the one more than wanted ends the line before the tail.
      if (lines === wanted) return { offset: start + at + 1, lines };
      lines++;
    }
    end = start;
  }
  return { offset: 0, lines };
}

async function* readFile(
  fd: number,
  from: number,
  follow: JsonLog | undefined,
  generation: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly LogLine[], void> {
  let position = from;
  let rest = Buffer.alloc(0);
  const block = Buffer.allocUnsafe(blockSize);
  for (;;) {
    signal?.throwIfAborted();
    // Asked before reading, so that nothing is written unseen between the two.
    const changed = follow?.changed;
    const over = !follow || follow.ended || follow.generation > generation;
    const { bytesRead } = await readFrom(fd, block, 0, block.length, position);
    if (bytesRead === 0) {
      if (over || !changed) return;
      await abortable(changed, signal);
      continue;
    }
    position += bytesRead;
    const all = Buffer.concat([rest, block.subarray(0, bytesRead)]);
    const end = all.lastIndexOf(10) + 1;
    rest = Buffer.from(all.subarray(end));
    if (end > 0) yield all.toString('utf8', 0, end).split('\n').flatMap(parseLine);
  }
}

/** A line that a crash left unfinished is no line. */
function parseLine(text: string): LogLine[] {
  if (text === '') return [];
  try {
    const { log, stream, time } = JSON.parse(text);
    return [{ text: String(log), stream: stream === 'stderr' ? 2 : 1, time: String(time) }];
  } catch {
    return [];
  }
}
