/** Bytes that a stream takes before its reader has to take some. */
export const receiveWindow = 256 * 1024;

/**
 * Bytes of all streams together that may be under way. They are credited as they come, since each stream is held back by its own
 * window: a reader that stalls must not hold back the others.
 */
export const connectionWindow = 4 * 1024 * 1024;

/** RFC 9113 §6.5.2: until settings say otherwise. */
export const initialWindow = 65_535;

/** RFC 9113 §6.9.1. */
export const largestWindow = 2 ** 31 - 1;

/** Payload of a frame that we take. */
export const receivedFrameLimit = 64 * 1024;

/** RFC 9113 §6.5.2: payload of a frame that everybody takes. */
export const initialFrameLimit = 16_384;

/** Calls that one connection may have open. */
export const streamLimit = 1000;
