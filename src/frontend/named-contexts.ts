import { invalidArgument } from '../base/errors.ts';
import { readIgnoreFile } from '../dockerfile/ignore-patterns.ts';
import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { parseImageConfig } from '../oci/parse-image-config.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { localSource } from './build-context.ts';
import type { BuildOptions } from './build-options.ts';
import type { FrontendGateway, FrontendRequest } from './frontend.ts';
import { gitSource, parseGitUrl } from './git-url.ts';

export interface NamedState {
  readonly edge: Edge | undefined;
  readonly config: ImageConfig | undefined;
}

/** `--build-context name=value`: other things under the names of images and stages. */
export class NamedContexts {
  readonly #gateway: FrontendGateway;
  readonly #options: BuildOptions;
  readonly #request: FrontendRequest;
  readonly #states = new Map<string, Promise<NamedState>>();

  constructor(gateway: FrontendGateway, options: BuildOptions, request: FrontendRequest) {
    this.#gateway = gateway;
    this.#options = options;
    this.#request = request;
  }

  /** What the client put under this name, for the platform; undefined when it put nothing. */
  state(name: string, platform: Platform): Promise<NamedState> | undefined {
    const value = this.#valueOf(name, platform);
    if (value === undefined) return undefined;
    const key = `${formatPlatform(platform)} ${name}`;
    let state = this.#states.get(key);
    if (!state) {
      state = this.#load(name, value, platform);
      this.#states.set(key, state);
    }
    return state;
  }

  #valueOf(name: string, platform: Platform): string | undefined {
    const { raw } = this.#options;
    for (const candidate of [name, canonicalName(name)]) {
      if (candidate === undefined) continue;
      const value = raw.get(`context:${candidate}::${formatPlatform(platform)}`) ?? raw.get(`context:${candidate}`);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  async #load(name: string, value: string, platform: Platform): Promise<NamedState> {
    if (value.startsWith('local:')) return this.#local(name, value.slice('local:'.length));
    if (value.startsWith('docker-image://')) return this.#image(name, value.slice('docker-image://'.length), platform);
    if (value.startsWith('oci-layout://')) return this.#layout(name, value.slice('oci-layout://'.length), platform);
    if (value.startsWith('input:'))
      return {
        edge: this.#request.inputs.get(value.slice('input:'.length)),
        config: this.#inputConfig(value.slice('input:'.length)),
      };
    const git = parseGitUrl(value);
    if (git) return { edge: gitSource(git, { name: `[context ${name}] load git source ${value}` }), config: undefined };
    if (/^https?:\/\//.test(value))
      return {
        edge: sourceOp(value, { 'http.filename': 'context' }, { name: `[context ${name}] ${value}` }),
        config: undefined,
      };
    throw invalidArgument(`cannot use ${JSON.stringify(value)} as build context ${JSON.stringify(name)}`);
  }

  async #local(name: string, local: string): Promise<NamedState> {
    const ignoreEdge = localSource(this.#gateway, local, {
      name: `[context ${name}] load .dockerignore`,
      followPaths: ['.dockerignore'],
    });
    const ignore = await this.#gateway.readFile(ignoreEdge, '.dockerignore');
    const exclude = ignore ? readIgnoreFile(Buffer.from(ignore).toString('utf8')) : [];
    return {
      edge: localSource(this.#gateway, local, { name: `[context ${name}] load from client`, exclude }),
      config: undefined,
    };
  }

  async #image(name: string, text: string, platform: Platform): Promise<NamedState> {
    const reference = formatReference(withDefaultTag(parseReference(text)));
    const resolved = await this.#gateway.resolveImageConfig(reference, {
      platform,
      resolveMode: this.#options.resolveMode,
      logName: `[context ${name}] load metadata for ${reference}`,
    });
    const pinned = reference.includes('@') ? reference : `${reference}@${resolved.digest}`;
    const edge = sourceOp(`docker-image://${pinned}`, {}, { name: `[context ${name}] ${pinned}`, platform });
    return { edge, config: parseImageConfig(resolved.config) };
  }

  async #layout(name: string, text: string, platform: Platform): Promise<NamedState> {
    const storeId = parseReference(text).path.replace(/^library\//, '');
    const layout = { sessionId: this.#gateway.sessionId, storeId };
    const resolved = await this.#gateway.resolveImageConfig(text, {
      platform,
      resolveMode: 'default',
      logName: `[context ${name}] load metadata for ${text}`,
      layout,
    });
    const edge = sourceOp(
      `oci-layout://${text}`,
      { 'oci.session': layout.sessionId, 'oci.store': storeId },
      { name: `[context ${name}] ${text}`, platform },
    );
    return { edge, config: parseImageConfig(resolved.config) };
  }

  /** Another build's result brings its config along (`input-metadata:name`). */
  #inputConfig(name: string): ImageConfig | undefined {
    const text = this.#options.raw.get(`input-metadata:${name}`);
    if (text === undefined) return undefined;
    const metadata: Record<string, string> = JSON.parse(text);
    const config = metadata['containerimage.config'];
    return config === undefined ? undefined : parseImageConfig(Buffer.from(config, 'base64'));
  }
}

function canonicalName(name: string): string | undefined {
  try {
    return formatReference(withDefaultTag(parseReference(name)));
  } catch {
    // Not every stage's name is an image's.
    return undefined;
  }
}
