import type { Capture, ImageMaterial } from '../../attestation/capture.ts';
import { type BuildRequest, type RequestRecord, recordRequest, sameRecord } from '../../attestation/request.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { RequestRecords } from './request-records.ts';

/** A request to a frontend with the states that it was given. */
export interface ScopedRequest extends BuildRequest {
  readonly inputs: ReadonlyMap<string, Edge | undefined>;
}

/** What one frontend did for a request: images that it looked up, states that it made or had solved, frontends that it asked. */
export class RequestScope {
  readonly request: ScopedRequest | undefined;
  /** What the client asked for. */
  readonly #root: ScopedRequest | undefined;
  readonly #records: RequestRecords;
  readonly #images: ImageMaterial[] = [];
  readonly #edges = new Set<Edge>();
  readonly #inner: RequestScope[] = [];
  readonly #undo = new DisposableStack();

  constructor(records: RequestRecords, request?: ScopedRequest, root?: ScopedRequest) {
    this.#records = records;
    this.request = request;
    this.#root = root;
  }

  /** For a frontend that this one asks. */
  enter(request: ScopedRequest): RequestScope {
    const root = this.#root && isTelling(this.#root) ? this.#root : this.request;
    const inner = new RequestScope(this.#records, request, root);
    this.#inner.push(inner);
    return inner;
  }

  addImage(image: ImageMaterial): void {
    this.#images.push(image);
  }

  addEdge(edge: Edge | undefined): void {
    if (!edge || this.#edges.has(edge)) return;
    this.#edges.add(edge);
    const maker = this.makerOf(edge);
    if (maker?.request) this.#undo.use(this.#records.add(edge.vertex.digest, maker.#recordOf(undefined)));
  }

  /** Whose result the edge is: of frontends that asked one another, the innermost's. */
  makerOf(edge: Edge): RequestScope | undefined {
    for (const inner of this.#inner) {
      const found = inner.makerOf(edge);
      if (found) return found;
    }
    return this.#edges.has(edge) ? this : undefined;
  }

  /** States that were made here and beneath. */
  *edges(): Generator<Edge, void> {
    yield* this.#edges;
    for (const inner of this.#inner) yield* inner.edges();
  }

  *images(): Generator<ImageMaterial, void> {
    yield* this.#images;
    for (const inner of this.#inner) yield* inner.images();
  }

  /** The request with all that is known of where it came from. */
  record(sources: Capture): RequestRecord {
    return this.request ? this.#recordOf(sources) : { configSource: {}, request: {} };
  }

  #recordOf(sources: Capture | undefined): RequestRecord {
    const own = this.request ?? { frontend: '', options: new Map(), inputs: new Map() };
    const record = recordRequest(own, sources, this.#inputsOf(own));
    const root = this.#root && isTelling(this.#root) ? this.#root : undefined;
    const rootRecord = root && recordRequest(root, sources, this.#inputsOf(root));
    if (!rootRecord || Object.keys(rootRecord.request).length === 0 || sameRecord(rootRecord, record)) return record;
    return { ...record, request: { ...record.request, root: rootRecord } };
  }

  #inputsOf({ inputs }: ScopedRequest): Record<string, RequestRecord> | undefined {
    const known = [...inputs].flatMap(([name, edge]): [string, RequestRecord][] => {
      const found = edge && this.#records.find(edge.vertex.digest);
      return found ? [[name, found]] : [];
    });
    return known.length > 0 ? Object.fromEntries(known.toSorted(([a], [b]) => (a < b ? -1 : 1))) : undefined;
  }

  close(): void {
    for (const inner of this.#inner) inner.close();
    this.#undo.dispose();
  }
}

function isTelling({ frontend, options, inputs }: ScopedRequest): boolean {
  return frontend !== '' || options.size > 0 || inputs.size > 0;
}
