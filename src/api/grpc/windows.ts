/**
 * Flow-control windows. At 1 MiB or more two Node 24 peers deadlock on a bidi stream; 256 KiB never stalled and costs
 * no throughput.
 */
export const localWindow = 256 * 1024;

export const http2Settings = {
  initialWindowSize: localWindow,
  maxConcurrentStreams: 10_000,
  enablePush: false,
} as const;
