import type { ProgressLog, ProgressStatus, ProgressUpdate, ProgressVertex, ProgressWarning } from './events.ts';
import type { ProgressDisplay, ProgressOutput } from './progress-display.ts';

/** One JSON document a line, with the keys of BuildKit's `SolveStatus`: absent where empty, bytes in base64. */
export class RawJsonDisplay implements ProgressDisplay {
  readonly #output: ProgressOutput;

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  update(update: ProgressUpdate): void {
    const status = {
      ...(update.vertexes.length > 0 ? { vertexes: update.vertexes.map(vertexJson) } : {}),
      ...(update.statuses.length > 0 ? { statuses: update.statuses.map(statusJson) } : {}),
      ...(update.logs.length > 0 ? { logs: update.logs.map(logJson) } : {}),
      ...(update.warnings.length > 0 ? { warnings: update.warnings.map(warningJson) } : {}),
    };
    if (Object.keys(status).length > 0) this.#output.write(`${JSON.stringify(status)}\n`);
  }

  finish(): void {}
}

function vertexJson({ digest, inputs, name, started, completed, cached, error, progressGroup }: ProgressVertex) {
  return {
    digest,
    ...(inputs.length > 0 ? { inputs } : {}),
    ...(name === '' ? {} : { name }),
    ...(started ? { started } : {}),
    ...(completed ? { completed } : {}),
    ...(cached ? { cached } : {}),
    ...(error === '' ? {} : { error }),
    ...(progressGroup ? { progressGroup } : {}),
  };
}

function statusJson({ id, vertex, name, current, total, timestamp, started, completed }: ProgressStatus) {
  return {
    id,
    vertex,
    ...(name === '' ? {} : { name }),
    ...(total === 0 ? {} : { total }),
    current,
    timestamp,
    ...(started ? { started } : {}),
    ...(completed ? { completed } : {}),
  };
}

function logJson({ vertex, stream, data, timestamp }: ProgressLog) {
  return { vertex, stream, data: base64(data), timestamp };
}

function warningJson({ vertex, level, short, detail, url, source }: ProgressWarning) {
  return {
    vertex,
    level,
    short: base64(short),
    ...(detail.length > 0 ? { detail: detail.map(base64) } : {}),
    ...(url === '' ? {} : { url }),
    ...(source
      ? {
          sourceInfo: { filename: source.filename, data: base64(source.text) },
          range: source.ranges.map(({ startLine, endLine }) => ({
            start: { line: startLine },
            end: { line: endLine },
          })),
        }
      : {}),
  };
}

function base64(data: Uint8Array | string): string {
  return Buffer.from(typeof data === 'string' ? Buffer.from(data) : data).toString('base64');
}
