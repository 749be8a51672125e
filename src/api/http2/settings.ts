import { frame, frameType } from './frames.ts';
import { ConnectionError, errorCode } from './http2-error.ts';
import {
  connectionWindow,
  initialFrameLimit,
  initialWindow,
  largestWindow,
  receivedFrameLimit,
  receiveWindow,
  streamLimit,
} from './windows.ts';

/** RFC 9113 §6.5.2. */
const setting = { enablePush: 2, maxConcurrentStreams: 3, initialWindowSize: 4, maxFrameSize: 5 } as const;

/** What each side says first: its settings, and how much may be under way on the connection. */
export function greeting(isServer: boolean): Buffer {
  const settings: readonly (readonly [number, number])[] = [
    ...(isServer ? [[setting.maxConcurrentStreams, streamLimit] as const] : [[setting.enablePush, 0] as const]),
    [setting.initialWindowSize, receiveWindow],
    [setting.maxFrameSize, receivedFrameLimit],
  ];
  const payload = Buffer.alloc(settings.length * 6);
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  const more = Buffer.alloc(4);
  more.writeUInt32BE(connectionWindow - initialWindow);
  return Buffer.concat([frame(frameType.settings, 0, 0, payload), frame(frameType.windowUpdate, 0, 0, more)]);
}

/** What the other side says of itself, where it says something. */
export interface PeerSettings {
  readonly window?: number;
  readonly frameLimit?: number;
  readonly streams?: number;
}

export function readSettings(payload: Buffer): PeerSettings {
  if (payload.length % 6 !== 0) throw new ConnectionError(errorCode.frameSizeError, 'settings are cut off');
  let settings: PeerSettings = {};
  for (let at = 0; at < payload.length; at += 6) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (id === setting.initialWindowSize) {
      if (value > largestWindow) throw new ConnectionError(errorCode.flowControlError, 'the window is too large');
      settings = { ...settings, window: value };
    } else if (id === setting.maxFrameSize) {
      if (value < initialFrameLimit) throw new ConnectionError(errorCode.protocolError, 'frames are too small');
      settings = { ...settings, frameLimit: value };
    } else if (id === setting.maxConcurrentStreams) settings = { ...settings, streams: value };
  }
  return settings;
}
