import type { Digest } from '../base/digest.ts';
import type { SourceFile } from '../graph/definition.ts';
import type { Edge } from '../graph/vertex.ts';
import type { Platform } from '../oci/platform.ts';

export interface ImageConfigRequest {
  readonly platform: Platform;
  readonly resolveMode: string;
  /** Shown by progress while it is looked up. */
  readonly logName: string;
  /** `oci-layout` contexts: which of the client's stores. */
  readonly layout?: { readonly sessionId: string; readonly storeId: string } | undefined;
}

export interface ResolvedConfig {
  /** The name as it was resolved, with its tag. */
  readonly reference: string;
  /** Digest of the manifest or index that the name stands for. */
  readonly digest: string;
  /** The image config's bytes. */
  readonly config: Uint8Array;
}

export interface FrontendWarning {
  readonly short: string;
  readonly detail: readonly string[];
  readonly url: string;
  readonly source: SourceFile;
  readonly ranges: readonly { readonly startLine: number; readonly endLine: number }[];
  /** The vertex that it is shown with. */
  readonly vertex?: Digest | undefined;
}

/** What a frontend may ask of the builder. */
export interface FrontendGateway {
  readonly sessionId: string;
  /** The platforms that the worker runs, the host's own first. */
  readonly workerPlatforms: readonly Platform[];
  /** Solves the edge and reads a file of it, or its first bytes; undefined when it has none. */
  readFile(edge: Edge, path: string, options?: { readonly length: number }): Promise<Uint8Array | undefined>;
  /** Names in the root directory of a solved edge. */
  readDirectory(edge: Edge, path: string): Promise<readonly string[]>;
  /** When the file or directory of a solved edge was changed last, in seconds since 1970; undefined when it has none. */
  fileTime(edge: Edge, path: string): Promise<number | undefined>;
  /** When the newest regular file of a solved edge was changed last. */
  latestTime(edge: Edge): Promise<number | undefined>;
  resolveImageConfig(reference: string, request: ImageConfigRequest): Promise<ResolvedConfig>;
  warn(warning: FrontendWarning): void;
}

/** What a frontend makes: per platform (or '' for a lone one) a state, and the data that belongs to it. */
export interface FrontendResult {
  readonly refs: ReadonlyMap<string, Edge | undefined>;
  /** BuildKit's keys: `containerimage.config[/platform]`, `refs.platforms`, `containerimage.buildinfo`, `result.txt`, … */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  readonly source?: SourceFile | undefined;
}

export interface FrontendRequest {
  readonly options: ReadonlyMap<string, string>;
  /** States that the client hands in (`input:` contexts). */
  readonly inputs: ReadonlyMap<string, Edge | undefined>;
}
