import { parentPort } from 'node:worker_threads';
import { errorMessage, firstError, SlipwayError } from '../base/errors.ts';
import { type BulkTask, bulkTasks } from './bulk-tasks.ts';

/** A call and its answer, as they cross the thread boundary. */
export interface BulkRequest {
  readonly id: number;
  readonly task: BulkTask;
  readonly args: readonly unknown[];
}

export type BulkAnswer =
  | { readonly id: number; readonly result: unknown }
  /** Classes do not cross; what callers switch on does. */
  | {
      readonly id: number;
      readonly error: {
        readonly message: string;
        readonly code: string | undefined;
        readonly hint: string | undefined;
        readonly slipway: boolean;
        /** Of a failed system call. */
        readonly path: string | undefined;
      };
    };

parentPort?.on('message', async ({ id, task, args }: BulkRequest) => {
  try {
    const work = bulkTasks[task] as (...args: readonly unknown[]) => unknown;
    parentPort?.postMessage({ id, result: await work(...args) } satisfies BulkAnswer);
  } catch (thrown) {
    const error = firstError(thrown);
    const slipway = error instanceof SlipwayError;
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    const message = errorMessage(error);
    const path = error instanceof Error && 'path' in error ? String(error.path) : undefined;
    parentPort?.postMessage({
      id,
      error: { message, code, hint: slipway ? error.hint : undefined, slipway, path },
    } satisfies BulkAnswer);
  }
});
