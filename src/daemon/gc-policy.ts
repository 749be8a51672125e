/** Bytes, or a share of the disk that the store is on. */
export type DiskSpace = { readonly bytes: number } | { readonly percent: number };

/** How much a policy leaves. */
export interface GcSpace {
  /** Below this nothing is removed. */
  readonly reserved?: DiskSpace | undefined;
  /** Above this the cache shrinks. */
  readonly maxUsed?: DiskSpace | undefined;
  /** The cache shrinks when less of the disk is free. */
  readonly minFree?: DiskSpace | undefined;
}

/** One rule of collection, as BuildKit's `gcpolicy`: what it may remove and until when. */
export interface GcPolicy extends GcSpace {
  /** Also what images share. */
  readonly all: boolean;
  readonly filters: readonly string[];
  /** Spares what was used this recently. Milliseconds. */
  readonly keepFor: number;
}

export interface DiskState {
  readonly total: number;
  readonly free: number;
}

const gigabyte = 1e9;
const hours = 3_600_000;

/** A tenth of the disk and at most 10 GB are always kept, four fifths and at most 100 GB used, a fifth left free. */
const defaultSpace: GcSpace = { reserved: { percent: 10 }, maxUsed: { percent: 80 }, minFree: { percent: 20 } };
const largestDefault = { reserved: 10 * gigabyte, maxUsed: 100 * gigabyte };

/** What BuildKit does unless told otherwise: easy things first, then what is old, then what is too much. */
export function defaultPolicies(space: GcSpace | undefined, disk: DiskState): readonly GcPolicy[] {
  const limits = space ?? {
    ...defaultSpace,
    reserved: { bytes: Math.min(bytesOf(defaultSpace.reserved, disk), largestDefault.reserved) },
    maxUsed: { bytes: Math.min(bytesOf(defaultSpace.maxUsed, disk), largestDefault.maxUsed) },
  };
  return [
    { all: false, filters: ['type==exec.cachemount'], keepFor: 48 * hours, maxUsed: { bytes: 0.512 * gigabyte } },
    { all: false, filters: [], keepFor: 60 * 24 * hours, ...limits },
    { all: false, filters: [], keepFor: 0, ...limits },
    { all: true, filters: [], keepFor: 0, ...limits },
  ];
}

/** How many bytes of cache a policy leaves, of `used`. */
export function keptBytes(policy: GcPolicy, used: number, disk: DiskState): number {
  const { reserved, maxUsed, minFree } = policy;
  const limits = [
    ...(maxUsed ? [bytesOf(maxUsed, disk)] : []),
    ...(minFree ? [used - Math.max(0, bytesOf(minFree, disk) - disk.free)] : []),
  ];
  // A policy without limits removes all that it may.
  const kept = limits.length === 0 ? 0 : Math.min(...limits);
  return Math.max(kept, bytesOf(reserved, disk));
}

function bytesOf(space: DiskSpace | undefined, disk: DiskState): number {
  if (!space) return 0;
  return 'bytes' in space ? space.bytes : Math.floor((disk.total * space.percent) / 100);
}
