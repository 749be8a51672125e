import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { parseDigest } from '../../base/digest.ts';
import { isErrorCode } from '../../base/errors.ts';
import type { FrontendGateway, FrontendWarning, ImageConfigRequest, ResolvedConfig } from '../../frontend/frontend.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { Platform } from '../../oci/platform.ts';
import { namesIn } from '../../snapshot/select-files.ts';
import { resolveTreePath, toBytes, toText } from '../../snapshot/tree-path.ts';
import { readInRoot, readStartInRoot } from '../../worker/read-in-root.ts';
import { stackOf } from '../../worker/ref.ts';
import type { Build } from './build.ts';
import type { RequestScope } from './request-scope.ts';
import { workerPlatforms } from './worker-record.ts';

const noVertex = parseDigest(`sha256:${'0'.repeat(64)}`);

/** What a frontend asks, answered by one build. */
export class BuildGateway implements FrontendGateway {
  readonly #build: Build;
  readonly #scope: RequestScope;
  readonly #configs = new Map<string, Promise<ResolvedConfig>>();

  constructor(build: Build, scope: RequestScope) {
    this.#build = build;
    this.#scope = scope;
  }

  get sessionId(): string {
    return this.#build.sessions[0] ?? '';
  }

  get workerPlatforms(): readonly Platform[] {
    return workerPlatforms();
  }

  readFile(edge: Edge, path: string, options?: { readonly length: number }): Promise<Uint8Array | undefined> {
    return this.withRoot(edge, (root) =>
      options ? readStartInRoot(root, path, options.length) : readInRoot(root, path),
    );
  }

  readDirectory(edge: Edge, path: string): Promise<readonly string[]> {
    return this.withRoot(edge, (root) => namesIn(resolveTreePath(root, path, true)).map(toText));
  }

  fileTime(edge: Edge, path: string): Promise<number | undefined> {
    return this.withRoot(edge, (root) => timeOf(lstatAt(root, path)));
  }

  latestTime(edge: Edge): Promise<number | undefined> {
    return this.withRoot(edge, (root) => {
      let latest: number | undefined;
      for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const time = timeOf(lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }));
        if (time !== undefined && time > (latest ?? time - 1)) latest = time;
      }
      return latest;
    });
  }

  /** Solves the edge and shows its files at a path while the work lasts. */
  async withRoot<T>(edge: Edge | undefined, work: (root: string) => T): Promise<T> {
    const { views } = this.#build.engine.worker;
    this.#scope.addEdge(edge);
    const ref = edge && (await this.#build.solve(edge));
    if (ref?.kind === 'directory') return work(ref.path);
    using view = views.open(ref ? await stackOf(ref, this.#build.signal) : []);
    return work(view.path);
  }

  resolveImageConfig(reference: string, request: ImageConfigRequest): Promise<ResolvedConfig> {
    const key = JSON.stringify([reference, request]);
    let config = this.#configs.get(key);
    if (!config) {
      config = this.#build.show(request.logName, () => this.#resolve(reference, request));
      this.#configs.set(key, config);
    }
    return config;
  }

  async #resolve(reference: string, request: ImageConfigRequest): Promise<ResolvedConfig> {
    const { resolver, content } = this.#build.engine;
    const { platform, resolveMode, layout } = request;
    const { sessions, signal } = this.#build;
    const mode = resolveMode === 'pull' || resolveMode === 'local' ? resolveMode : 'default';
    try {
      using image = layout
        ? await resolver.layout(reference, { platform, sessions: [layout.sessionId], store: layout.storeId, signal })
        : await resolver.image(reference, { platform, mode, sessions, signal });
      this.#scope.addImage({ reference, platform, digest: image.target.digest, local: layout !== undefined });
      return { reference, digest: image.target.digest, config: content.readSmall(image.manifest.config.digest) };
    } catch (error) {
      signal.throwIfAborted();
      if (isErrorCode(error, 'not-found') && error instanceof Error) error.message = `${reference}: ${error.message}`;
      throw error;
    }
  }

  warn(warning: FrontendWarning): void {
    const { short, detail, url, source, ranges, vertex = noVertex } = warning;
    this.#build.progress.warning({
      vertex,
      level: 1,
      short,
      detail,
      url,
      source: {
        ...source,
        ranges: ranges.map(({ startLine, endLine }) => ({
          start: { line: startLine, character: 0 },
          end: { line: endLine, character: 0 },
        })),
      },
    });
  }
}

function lstatAt(root: string, path: string): Stats | undefined {
  return lstatSync(toBytes(resolveTreePath(root, path, true)), { throwIfNoEntry: false });
}

function timeOf(stat: Stats | undefined): number | undefined {
  return stat && Math.floor(stat.mtimeMs / 1000);
}
