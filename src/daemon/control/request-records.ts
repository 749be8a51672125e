import { type RequestRecord, sameRecord } from '../../attestation/request.ts';
import type { Digest } from '../../base/digest.ts';

/** Which requests made the states that running builds have: a build that is handed one of them can tell. */
export class RequestRecords {
  readonly #byState = new Map<Digest, Set<RequestRecord>>();

  add(state: Digest, record: RequestRecord): Disposable {
    const records = this.#byState.get(state) ?? new Set();
    this.#byState.set(state, records);
    records.add(record);
    return {
      [Symbol.dispose]: () => {
        records.delete(record);
        if (records.size === 0 && this.#byState.get(state) === records) this.#byState.delete(state);
      },
    };
  }

  /** Undefined when nobody made it, or when those who did were asked for different things. */
  find(state: Digest): RequestRecord | undefined {
    const [first, ...others] = [...(this.#byState.get(state) ?? [])].map(withoutRoot);
    return first && others.every((each) => sameRecord(first, each)) ? first : undefined;
  }
}

function withoutRoot({ request: { root: _, ...request }, ...record }: RequestRecord): RequestRecord {
  return { ...record, request };
}
