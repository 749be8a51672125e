import { statfsSync } from 'node:fs';
import { errorMessage } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { BuildCache } from './control/build-cache.ts';
import { type DiskState, defaultPolicies, type GcPolicy, type GcSpace, keptBytes } from './gc-policy.ts';

export interface GcOptions {
  readonly enabled?: boolean | undefined;
  /** Of the default policies. */
  readonly space?: GcSpace | undefined;
  /** Instead of the default policies. */
  readonly policies?: readonly GcPolicy[] | undefined;
}

/** Milliseconds. */
const interval = 5 * 60_000;

/** Keeps the build cache within its policies, now and then and never while something is built. */
export class GarbageCollection {
  readonly #cache: BuildCache;
  readonly #log: Logger;
  readonly #options: GcOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(cache: BuildCache, log: Logger, options: GcOptions = {}) {
    this.#cache = cache;
    this.#log = log;
    this.#options = options;
  }

  start(isBusy: () => boolean): void {
    if (this.#options.enabled === false) return;
    this.#timer = setInterval(() => {
      if (isBusy()) return;
      this.run().catch((error: unknown) => this.#log.error(`garbage collection failed: ${errorMessage(error)}`));
    }, interval);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Applies each policy once, in order. */
  async run(disk: () => DiskState = () => this.#disk()): Promise<void> {
    const { policies = defaultPolicies(this.#options.space, disk()) } = this.#options;
    for (const policy of policies) {
      const used = this.#cache.list().reduce((sum, { size }) => sum + size, 0);
      const keepBytes = keptBytes(policy, used, disk());
      if (used <= keepBytes) continue;
      const { all, filters, keepFor } = policy;
      const removed = await this.#cache.prune({ all, filters, olderThanMs: keepFor, keepBytes });
      if (removed.length > 0) this.#log.info(`removed ${removed.length} items of the build cache`);
    }
  }

  #disk(): DiskState {
    const { blocks, bavail, bsize } = statfsSync(this.#cache.root);
    return { total: blocks * bsize, free: bavail * bsize };
  }
}
