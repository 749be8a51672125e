import { parentPort } from 'node:worker_threads';
import { SlipwayError } from '../base/errors.ts';
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
      };
    };

parentPort?.on('message', async ({ id, task, args }: BulkRequest) => {
  try {
    const work = bulkTasks[task] as (...args: readonly unknown[]) => unknown;
    parentPort?.postMessage({ id, result: await work(...args) } satisfies BulkAnswer);
  } catch (error) {
    const slipway = error instanceof SlipwayError;
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({
      id,
      error: { message, code, hint: slipway ? error.hint : undefined, slipway },
    } satisfies BulkAnswer);
  }
});
