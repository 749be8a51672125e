import { join, posix } from 'node:path';
import type { SourceOp } from '../api/gen/ops_pb.js';
import { type Digest, digestOf } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import { setModificationTime } from '../kernel/file-attributes.ts';
import { makeFile } from '../snapshot/tree-operations.ts';
import type { Op, OpContext } from '../solver/op.ts';
import { clientLimits, DownloadedFile, serverLimits } from './downloaded-file.ts';
import { fetchUrl, withoutLogin } from './fetch-url.ts';
import { HttpRecords, plainTag } from './http-records.ts';
import { holdRef, type Ref } from './ref.ts';
import { httpLogin } from './source-login.ts';
import type { WorkerServices } from './worker-services.ts';

interface Download {
  readonly file: DownloadedFile;
  /** Nanoseconds since 1970; 0 when the server does not say. */
  readonly modified: bigint;
}

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
      keyed = (await unchangedDigest(source, services, context)) ?? (await download(context)).file.digest;
      const digest = keyed;
      return {
        digest: digestOf(JSON.stringify(['http', digest, filename, mode, owner])),
        inputs: [],
        facts: { checksum: digest },
      };
    },
    run: async (_inputs, context) => {
      const { file, modified } = await download(context);
      if (keyed !== undefined && file.digest !== keyed)
        throw new SlipwayError(
          'unavailable',
          `${JSON.stringify(withoutLogin(source.identifier))} changed while it was fetched`,
        );
      const { snapshots, views } = services;
      const active = snapshots.prepare([]);
      try {
        {
          using view = views.openActive(active);
          makeFile(view.path, `/${filename}`, mode, new Uint8Array(), { owner });
          const path = join(view.path, filename);
          await file.copyTo(path);
          setModificationTime(Buffer.from(path), modified);
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
    const response = await fetchUrl(url, { method: 'HEAD', headers, signal: context.signal });
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
      ? await fetchUrl(url, { headers: await authorization(source, services, context), signal: context.signal })
      : // No host of that name: the client itself has the bytes.
        new Response(ReadableStream.from(services.sessions.upload(context.sessions(), path, context.signal)));
  if (!response.ok)
    throw new SlipwayError(
      'not-found',
      `cannot fetch ${JSON.stringify(withoutLogin(url))}: the server answered ${response.status} ${response.statusText}`,
    );
  const total = Number(response.headers.get('content-length') ?? 0);
  const shown = withoutLogin(url);
  const wanted = source.attrs['http.checksum'] || undefined;
  const file = await DownloadedFile.from(response.body ?? ReadableStream.from([]), {
    directory: services.runDirectory,
    limits: path === undefined ? serverLimits : clientLimits,
    name: JSON.stringify(shown),
    algorithm: wanted?.split(':', 1)[0],
    onBytes: (current) => context.status(`downloading ${shown}`, { current, ...(total > 0 ? { total } : {}) }),
  });
  if (wanted !== undefined && file.otherDigest !== wanted)
    throw new SlipwayError(
      'data-loss',
      `cannot use ${JSON.stringify(shown)}: digest mismatch ${file.otherDigest}: ${wanted}`,
    );
  const etag = plainTag(response.headers.get('etag'));
  if (etag !== '') new HttpRecords(services.contextsDirectory, url).write({ etag, digest: file.digest });
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  return { file, modified: Number.isNaN(modified) ? 0n : BigInt(modified) * 1_000_000n };
}

async function authorization(
  source: SourceOp,
  services: WorkerServices,
  context: OpContext,
): Promise<Record<string, string>> {
  const login = await httpLogin(source.identifier, source.attrs['http.authheadersecret'], services, context);
  return login === undefined ? {} : { authorization: login };
}
