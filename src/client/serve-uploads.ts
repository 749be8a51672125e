import { Upload } from '../api/gen/upload_pb.js';
import type { Router } from '../api/grpc/router.ts';
import { uploadPathHeader } from '../api/session/ask-client.ts';
import { notFound } from '../base/errors.ts';

/** Bytes per message. */
const pieceSize = 256 * 1024;

/**
 * Streams that the daemon may fetch once each, by path; a context from standard input is `http://buildkit-session/<path>` in the
 * request.
 */
export function serveUploads(router: Router, uploads: ReadonlyMap<string, AsyncIterable<Uint8Array>>): void {
  const left = new Map(uploads);
  router.add(Upload, {
    async *pull(_messages, context) {
      const path = (context.values(uploadPathHeader)[0] ?? '').replace(/^\/+/, '');
      const bytes = left.get(path);
      if (!bytes) throw notFound(`there is no upload "${path}", or it was fetched before`);
      left.delete(path);
      for await (const chunk of bytes) {
        for (let at = 0; at < chunk.length; at += pieceSize) yield { data: chunk.subarray(at, at + pieceSize) };
      }
    },
  });
}
