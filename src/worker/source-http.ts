import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { SourceOp } from '../api/gen/ops_pb.js';
import { type Digest, digestOf } from '../base/digest.ts';
import { errorMessage, SlipwayError } from '../base/errors.ts';
import { makeFile } from '../snapshot/tree-operations.ts';
import type { Op, OpContext } from '../solver/op.ts';
import { HttpRecords, plainTag } from './http-records.ts';
import { holdRef, type Ref } from './ref.ts';
import { httpLogin } from './source-login.ts';
import type { WorkerServices } from './worker-services.ts';

interface Download {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** Nanoseconds since 1970; 0 when the server does not say. */
  readonly modified: bigint;
}

const sizeLimit = 4 * 2 ** 30;
/** Servers that know BuildKit answer it with what a builder wants. */
const userAgent = 'buildkit/v0.32 slipway';

/** ADD of a URL: keyed by the bytes that came. */
export function createHttpSource(source: SourceOp, services: WorkerServices): Op<Ref> {
  let downloading: Promise<Download> | undefined;
  let keyed: Digest | undefined;
  const download = (context: OpContext): Promise<Download> => {
    downloading ??= fetchFile(source, services, context).catch((error: unknown) => {
      downloading = undefined;
      throw error;
    });
    return downloading;
  };
  const filename = posix.basename(source.attrs['http.filename'] ?? 'download');
  const mode = Number.parseInt(source.attrs['http.perm'] ?? '0600', 8);
  const owner = { uid: Number(source.attrs['http.uid'] ?? 0), gid: Number(source.attrs['http.gid'] ?? 0) };
  return {
    cacheMap: async (context) => {
      keyed = (await unchangedDigest(source, services, context)) ?? (await download(context)).digest;
      const digest = keyed;
      return { digest: digestOf(JSON.stringify(['http', digest, filename, mode, owner])), inputs: [] };
    },
    run: async (_inputs, context) => {
      const { bytes, modified, digest } = await download(context);
      if (keyed !== undefined && digest !== keyed)
        throw new SlipwayError(
          'unavailable',
          `${JSON.stringify(withoutLogin(source.identifier))} changed while it was fetched`,
        );
      const { snapshots, views } = services;
      const active = snapshots.prepare([]);
      try {
        {
          using view = views.openActive(active);
          makeFile(view.path, `/${filename}`, mode, bytes, { owner, time: modified });
        }
        return [holdRef(snapshots, { kind: 'layers', stack: [snapshots.commit(active)] })];
      } catch (error) {
        snapshots.discard(active);
        throw error;
      }
    },
  };
}

/** Asks the server whether the URL still gives what it gave last; undefined when it has to be fetched. */
async function unchangedDigest(
  source: SourceOp,
  services: WorkerServices,
  context: OpContext,
): Promise<Digest | undefined> {
  const url = source.identifier;
  const known = new HttpRecords(services.contextsDirectory, url).read();
  const wanted = source.attrs['http.checksum'] ?? '';
  if (!known || (wanted !== '' && wanted !== known.digest)) return undefined;
  try {
    const headers = { ...(await authorization(source, services, context)), 'if-none-match': known.etag };
    const response = await request(url, { method: 'HEAD', headers }, context.signal);
    const isSame = response.status === 304 || (response.ok && plainTag(response.headers.get('etag')) === known.etag);
    return isSame ? known.digest : undefined;
  } catch {
    context.signal.throwIfAborted();
    return undefined;
  }
}

async function fetchFile(source: SourceOp, services: WorkerServices, context: OpContext): Promise<Download> {
  const url = source.identifier;
  const path = /^http:\/\/buildkit-session(\/.+)$/.exec(url)?.[1];
  const response =
    path === undefined
      ? await request(url, { headers: await authorization(source, services, context) }, context.signal)
      : // No host of that name: the client itself has the bytes.
        new Response(ReadableStream.from(services.sessions.upload(context.sessions(), path, context.signal)));
  if (!response.ok)
    throw new SlipwayError(
      'not-found',
      `cannot fetch ${JSON.stringify(withoutLogin(url))}: the server answered ${response.status} ${response.statusText}`,
    );
  const total = Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array[] = [];
  let current = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    current += part.length;
    if (current > sizeLimit)
      throw new SlipwayError(
        'resource-exhausted',
        `cannot fetch ${JSON.stringify(withoutLogin(url))}: it is larger than ${sizeLimit} bytes`,
      );
    context.status(`downloading ${withoutLogin(url)}`, { current, ...(total > 0 ? { total } : {}) });
  }
  const bytes = Buffer.concat(parts);
  const wanted = source.attrs['http.checksum'];
  if (wanted !== undefined && wanted !== '') checkDigest(bytes, wanted, url);
  const digest = digestOf(bytes);
  const etag = plainTag(response.headers.get('etag'));
  if (etag !== '') new HttpRecords(services.contextsDirectory, url).write({ etag, digest });
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  return { bytes, digest, modified: Number.isNaN(modified) ? 0n : BigInt(modified) * 1_000_000n };
}

async function request(
  url: string,
  { method = 'GET', headers }: { readonly method?: string; readonly headers: Record<string, string> },
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, { method, headers: { ...headers, 'user-agent': userAgent }, signal });
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new SlipwayError('unavailable', `cannot fetch ${JSON.stringify(withoutLogin(url))}: ${errorMessage(cause)}`, {
      cause: error,
    });
  }
}

async function authorization(
  source: SourceOp,
  services: WorkerServices,
  context: OpContext,
): Promise<Record<string, string>> {
  const login = await httpLogin(source.identifier, source.attrs['http.authheadersecret'], services, context);
  return login === undefined ? {} : { authorization: login };
}

function checkDigest(bytes: Uint8Array, wanted: string, url: string): void {
  const [algorithm = '', hex] = wanted.split(':', 2);
  const got = createHash(algorithm).update(bytes).digest('hex');
  if (got !== hex)
    throw new SlipwayError(
      'data-loss',
      `cannot use ${JSON.stringify(withoutLogin(url))}: digest mismatch ${algorithm}:${got}: ${wanted}`,
    );
}

/** A URL may carry a password; messages and progress do not. */
export function withoutLogin(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = 'xxxxx';
  return parsed.href;
}
