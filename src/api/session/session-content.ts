import { SlipwayError } from '../../base/errors.ts';
import { Content } from '../gen/content_pb.js';
import type { Session } from './session.ts';

/** Chooses one of the client's content stores (moby/buildkit, session/content). */
export const contentStoreHeader = 'buildkit-attachable-store-id';

/** The store that an image layout is exported into. */
export const layoutExportStore = 'export';

/** A content store that lies with the client: `oci:<key>` for a layout, `local:<dir>` for a local cache. */
export class SessionContent {
  readonly #session: Session;
  readonly #metadata: Record<string, string>;

  constructor(session: Session, storeId: string) {
    this.#session = session;
    this.#metadata = { [contentStoreHeader]: storeId };
  }

  /** Size of a blob. Throws not-found. */
  async size(digest: string, signal?: AbortSignal): Promise<number> {
    const client = this.#session.client(Content, Content.method.info);
    const { info } = await client.info({ digest }, { metadata: this.#metadata, signal });
    if (!info) throw new SlipwayError('not-found', `cannot find blob "${digest}" at the client`);
    return Number(info.size);
  }

  /** A blob's bytes from `offset` on, as the client sends them: verify their digest. Throws not-found. */
  async *read(
    digest: string,
    options: { readonly offset?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Uint8Array, void> {
    const client = this.#session.client(Content, Content.method.read);
    const request = { digest, offset: BigInt(options.offset ?? 0) };
    for await (const { data } of client.read(request, { metadata: this.#metadata, signal: options.signal })) yield data;
  }

  /** Stores a blob with the client, such as one of an exported cache; nothing happens when it has it already. */
  async write(digest: string, size: number, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const client = this.#session.client(Content, Content.method.write);
    const answers = client.write(writeRequests(digest, size, bytes), { metadata: this.#metadata, signal });
    try {
      for await (const _ of answers);
    } catch (error) {
      if (!(error instanceof SlipwayError) || error.code !== 'already-exists') throw error;
    }
  }
}

/** Bytes per message. */
const pieceSize = 1024 * 1024;

async function* writeRequests(digest: string, size: number, bytes: AsyncIterable<Uint8Array>) {
  const common = { ref: `slipway-${digest}`, expected: digest, total: BigInt(size) };
  let offset = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += pieceSize) {
      const data = chunk.subarray(at, at + pieceSize);
      yield { ...common, action: 1, offset: BigInt(offset), data };
      offset += data.length;
    }
  }
  yield { ...common, action: 2, offset: BigInt(offset) };
}
