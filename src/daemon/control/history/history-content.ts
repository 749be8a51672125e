import { Content } from '../../../api/gen/content_pb.js';
import type { Router } from '../../../api/grpc/router.ts';
import { type Digest, parseDigest } from '../../../base/digest.ts';
import { notFound } from '../../../base/errors.ts';
import type { ContentStore } from '../../../content/content-store.ts';
import type { BuildHistory } from './build-history.ts';

/** containerd's content service over what build records keep, and nothing else of the store. */
export function addHistoryContent(router: Router, content: ContentStore, history: BuildHistory): void {
  const known = (text: string): Digest => {
    const digest = parseDigest(text);
    if (!history.blobs().has(digest) || !content.stat(digest)) throw notFound(`content ${digest}: not found`);
    return digest;
  };
  router.add(Content, {
    info: ({ digest }) => ({ info: { digest, size: BigInt(content.stat(known(digest))?.size ?? 0) } }),
    async *read({ digest, offset, size }, context) {
      const end = size > 0n ? Number(offset + size) : Number.POSITIVE_INFINITY;
      let at = Number(offset);
      for await (const chunk of content.read(known(digest), { offset: at, signal: context.signal })) {
        const data = chunk.subarray(0, Math.max(0, end - at));
        if (data.length === 0) return;
        yield { offset: BigInt(at), data };
        at += data.length;
      }
    },
  });
}
