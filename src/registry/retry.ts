import { setTimeout as sleepFor } from 'node:timers/promises';
import { isTransient, RegistryError } from './registry-error.ts';

/** One failed try that will be followed by another; shown to people, so that waiting has a reason. */
export interface RetryNotice {
  readonly attempt: number;
  readonly attempts: number;
  readonly delayMs: number;
  readonly error: Error;
}

export interface RetryPolicy {
  /** Tries in all. */
  readonly attempts: number;
  /** Pause before the second try, doubled each time, in milliseconds. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** Longest `Retry-After` that is waited for; a longer one ends the attempt with its error. */
  readonly longestRetryAfterMs: number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 5,
  firstDelayMs: 500,
  longestDelayMs: 8_000,
  longestRetryAfterMs: 120_000,
  sleep: (ms, signal) => sleepFor(ms, undefined, signal ? { signal } : {}),
};

interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** Repeats what failed for a passing reason, with growing pauses; what is not transient is thrown at once. */
export async function retrying<T>(attemptOnce: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, signal, onRetry } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce(attempt);
    } catch (error) {
      const delayMs = delayAfter(error, attempt, policy);
      if (delayMs === undefined || signal?.aborted) throw error;
      if (error instanceof Error) onRetry?.({ attempt, attempts: policy.attempts, delayMs, error });
      await policy.sleep(delayMs, signal);
    }
  }
}

/** The pause before the next try, or undefined when there should be none. */
export function delayAfter(error: unknown, attempt: number, policy: RetryPolicy): number | undefined {
  if (attempt >= policy.attempts || !isTransient(error)) return undefined;
  const asked = error instanceof RegistryError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return asked <= policy.longestRetryAfterMs ? asked : undefined;
  const delay = Math.min(policy.longestDelayMs, policy.firstDelayMs * 2 ** (attempt - 1));
  // Up to a tenth more, so that many clients that failed together do not come back together.
  return Math.round(delay * (1 + Math.random() / 10));
}
