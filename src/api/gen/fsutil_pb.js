// Generated from src/api/proto/fsutil.proto by `npm run generate`.

import { Schema, map } from '../message/schema.ts';

export const StatSchema = new Schema('fsutil.types.Stat', () => [
  [1, 'path', 'string'],
  [2, 'mode', 'uint32'],
  [3, 'uid', 'uint32'],
  [4, 'gid', 'uint32'],
  [5, 'size', 'int64'],
  [6, 'modTime', 'int64'],
  [7, 'linkname', 'string'],
  [8, 'devmajor', 'int64'],
  [9, 'devminor', 'int64'],
  [10, 'xattrs', map('bytes')],
]);

export const Packet_PacketType = { PACKET_STAT: 0, 0: 'PACKET_STAT', PACKET_REQ: 1, 1: 'PACKET_REQ', PACKET_DATA: 2, 2: 'PACKET_DATA', PACKET_FIN: 3, 3: 'PACKET_FIN', PACKET_ERR: 4, 4: 'PACKET_ERR' };

export const PacketSchema = new Schema('fsutil.types.Packet', () => [
  [1, 'type', 'enum'],
  [2, 'stat', StatSchema],
  [3, 'ID', 'uint32'],
  [4, 'data', 'bytes'],
]);
