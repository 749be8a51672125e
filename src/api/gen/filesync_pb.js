// Generated from src/api/proto/filesync.proto by `npm run generate`.

import { Schema, list } from '../message/schema.ts';
import { service } from '../message/service.ts';
import { PacketSchema } from './fsutil_pb.js';

export const BytesMessageSchema = new Schema('moby.filesync.v1.BytesMessage', () => [
  [1, 'data', 'bytes'],
]);

export const CredentialsRequestSchema = new Schema('moby.filesync.v1.CredentialsRequest', () => [
  [1, 'Host', 'string'],
]);

export const CredentialsResponseSchema = new Schema('moby.filesync.v1.CredentialsResponse', () => [
  [1, 'Username', 'string'],
  [2, 'Secret', 'string'],
]);

export const FetchTokenRequestSchema = new Schema('moby.filesync.v1.FetchTokenRequest', () => [
  [1, 'ClientID', 'string'],
  [2, 'Host', 'string'],
  [3, 'Realm', 'string'],
  [4, 'Service', 'string'],
  [5, 'Scopes', list('string')],
]);

export const FetchTokenResponseSchema = new Schema('moby.filesync.v1.FetchTokenResponse', () => [
  [1, 'Token', 'string'],
  [2, 'ExpiresIn', 'int64'],
  [3, 'IssuedAt', 'int64'],
]);

export const GetTokenAuthorityRequestSchema = new Schema('moby.filesync.v1.GetTokenAuthorityRequest', () => [
  [1, 'Host', 'string'],
  [2, 'Salt', 'bytes'],
]);

export const GetTokenAuthorityResponseSchema = new Schema('moby.filesync.v1.GetTokenAuthorityResponse', () => [
  [1, 'PublicKey', 'bytes'],
]);

export const VerifyTokenAuthorityRequestSchema = new Schema('moby.filesync.v1.VerifyTokenAuthorityRequest', () => [
  [1, 'Host', 'string'],
  [2, 'Payload', 'bytes'],
  [3, 'Salt', 'bytes'],
]);

export const VerifyTokenAuthorityResponseSchema = new Schema('moby.filesync.v1.VerifyTokenAuthorityResponse', () => [
  [1, 'Signed', 'bytes'],
]);

export const FileSync = service('moby.filesync.v1.FileSync', [
  ['diffCopy', { name: 'DiffCopy', methodKind: 'bidi_streaming', input: PacketSchema, output: PacketSchema }],
  ['tarStream', { name: 'TarStream', methodKind: 'bidi_streaming', input: PacketSchema, output: PacketSchema }],
]);

export const FileSend = service('moby.filesync.v1.FileSend', [
  ['diffCopy', { name: 'DiffCopy', methodKind: 'bidi_streaming', input: BytesMessageSchema, output: BytesMessageSchema }],
]);

export const Auth = service('moby.filesync.v1.Auth', [
  ['credentials', { name: 'Credentials', methodKind: 'unary', input: CredentialsRequestSchema, output: CredentialsResponseSchema }],
  ['fetchToken', { name: 'FetchToken', methodKind: 'unary', input: FetchTokenRequestSchema, output: FetchTokenResponseSchema }],
  ['getTokenAuthority', { name: 'GetTokenAuthority', methodKind: 'unary', input: GetTokenAuthorityRequestSchema, output: GetTokenAuthorityResponseSchema }],
  ['verifyTokenAuthority', { name: 'VerifyTokenAuthority', methodKind: 'unary', input: VerifyTokenAuthorityRequestSchema, output: VerifyTokenAuthorityResponseSchema }],
]);
