import { invalidArgument } from '../base/errors.ts';
import { readIgnoreFile } from '../dockerfile/ignore-patterns.ts';
import { sourceOp } from '../graph/ops.ts';
import type { Edge } from '../graph/vertex.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { parseImageConfig } from '../oci/parse-image-config.ts';
import { formatPlatformInFull, type Platform } from '../oci/platform.ts';
import { familiarReference, formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { BuildOptions } from './build-options.ts';
import type { FrontendGateway, FrontendRequest } from './frontend.ts';
import { gitSource, parseGitUrl } from './git-url.ts';
import { readInputConfig } from './input-config.ts';
import { localSource } from './local-source.ts';

export interface NamedState {
  /** Of a client's directory only these paths need to come; other states are whole. */
  readonly files: (paths: readonly string[]) => Edge | undefined;
  readonly config: ImageConfig | undefined;
  /** Whether it matters which paths are wanted. */
  readonly isSelective: boolean;
}

/** `--build-context name=value`: other things under the names of images and stages. */
export class NamedContexts {
  readonly #gateway: FrontendGateway;
  readonly #options: BuildOptions;
  readonly #request: FrontendRequest;
  /** By the name as a reference is shown, with `::platform` where it is for one only. */
  readonly #values: ReadonlyMap<string, string>;
  readonly #states = new Map<string, Promise<NamedState>>();

  constructor(gateway: FrontendGateway, options: BuildOptions, request: FrontendRequest) {
    this.#gateway = gateway;
    this.#options = options;
    this.#request = request;
    this.#values = valuesOf(options.raw);
  }

  has(name: string, platform: Platform): boolean {
    return this.#find(name, platform) !== undefined;
  }

  /** What the client put under this name, for the platform; undefined when it put nothing. */
  state(name: string, platform: Platform): Promise<NamedState> | undefined {
    const found = this.#find(name, platform);
    if (!found) return undefined;
    const key = `${formatPlatformInFull(platform)} ${found.name}`;
    let state = this.#states.get(key);
    if (!state) {
      state = this.#load(found.name, found.value, platform);
      this.#states.set(key, state);
    }
    return state;
  }

  #find(name: string, platform: Platform): { readonly name: string; readonly value: string } | undefined {
    if (this.#values.size === 0 || /^(scratch|context)$/i.test(name)) return undefined;
    const plain = nameOf(name);
    for (const key of [`${plain}::${formatPlatformInFull(platform)}`, plain]) {
      const value = this.#values.get(key);
      if (value !== undefined) return { name: key, value };
    }
    return undefined;
  }

  async #load(name: string, value: string, platform: Platform): Promise<NamedState> {
    const [scheme = ''] = value.split(':', 1);
    const rest = value.slice(scheme.length + 1);
    const git = parseGitUrl(value);
    if (git) return whole(gitSource(git, { name: `[internal] load git source ${value}` }));
    switch (scheme) {
      case 'local':
        return this.#local(name, rest);
      case 'docker-image':
        return this.#image(name, rest.replace(/^\/\//, ''), platform);
      case 'oci-layout':
        return this.#layout(name, rest.replace(/^\/\//, ''), platform);
      case 'input':
        return this.#input(name, rest);
      case 'http':
      case 'https':
        return whole(sourceOp(value, { 'http.filename': 'context' }, { name: `[context ${name}] ${value}` }));
      default:
        throw invalidArgument(`cannot use ${JSON.stringify(value)} as build context ${JSON.stringify(name)}`, {
          hint: 'want a directory, docker-image://, oci-layout://, https:// or a git repository',
        });
    }
  }

  async #local(name: string, local: string): Promise<NamedState> {
    const { localSessions, raw } = this.#options;
    const session = localSessions.get(local) ?? this.#gateway.sessionId;
    const ignoreFile = localSource(local, {
      session,
      sharedKeyHint: `context:${name}-.dockerignore`,
      name: `[context ${name}] load .dockerignore`,
      followPaths: ['.dockerignore'],
      isMetadata: true,
    });
    const ignore = await this.#gateway.readFile(ignoreFile, '.dockerignore');
    const exclude = ignore ? readIgnoreFile(Buffer.from(ignore).toString('utf8')) : [];
    const files = (followPaths: readonly string[]) =>
      localSource(local, {
        session,
        sharedKeyHint: `context:${name}-${raw.get(`sharedkey:localdir:${name}`) ?? ''}`,
        name: `[context ${name}] load from client`,
        followPaths,
        exclude,
      });
    return { files, config: undefined, isSelective: true };
  }

  async #image(name: string, text: string, platform: Platform): Promise<NamedState> {
    if (text === 'scratch') return whole(undefined);
    const reference = formatReference(withDefaultTag(parseReference(text)));
    const resolved = await this.#gateway.resolveImageConfig(reference, {
      platform,
      resolveMode: this.#options.resolveMode,
      logName: `[context ${name}] load metadata for ${text}`,
    });
    const pinned = resolved.reference.includes('@') ? resolved.reference : `${resolved.reference}@${resolved.digest}`;
    const edge = sourceOp(`docker-image://${pinned}`, {}, { name: `[context ${name}] ${text}`, platform });
    return whole(edge, parseImageConfig(resolved.config));
  }

  async #layout(name: string, text: string, platform: Platform): Promise<NamedState> {
    const at = text.indexOf('@');
    if (at < 1)
      throw invalidArgument(`cannot use ${JSON.stringify(text)} as an OCI layout: it needs a name and a digest`, {
        hint: 'want oci-layout://name@sha256:…',
      });
    // The store's name means nothing to others: what is read is named after the context.
    const reference = `${formatReference(parseReference(name.split('::', 1)[0] ?? name))}${text.slice(at)}`;
    const layout = { sessionId: this.#gateway.sessionId, storeId: text.slice(0, at).replace(/:[^/]*$/, '') };
    const resolved = await this.#gateway.resolveImageConfig(reference, {
      platform,
      resolveMode: 'default',
      logName: `[context ${name}] load metadata for ${reference}`,
      layout,
    });
    const edge = sourceOp(
      `oci-layout://${reference}`,
      { 'oci.session': layout.sessionId, 'oci.store': layout.storeId },
      { name: `[context ${name}] OCI load from client`, platform },
    );
    return whole(edge, parseImageConfig(resolved.config));
  }

  async #input(name: string, input: string): Promise<NamedState> {
    if (!this.#request.inputs.has(input))
      throw invalidArgument(
        `invalid input ${JSON.stringify(input)} for ${JSON.stringify(name)}: the client sent no such state`,
      );
    return whole(this.#request.inputs.get(input), readInputConfig(this.#options.raw, input));
  }
}

function whole(edge: Edge | undefined, config?: ImageConfig): NamedState {
  return { files: () => edge, config, isSelective: false };
}

function valuesOf(raw: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [key, value] of raw) {
    if (!key.startsWith('context:')) continue;
    const [name = '', platform] = key.slice('context:'.length).split('::', 2);
    values.set(platform === undefined ? nameOf(name) : `${nameOf(name)}::${platform}`, value);
  }
  return values;
}

/** `docker.io/library/node:latest` and `node` are one name. */
function nameOf(name: string): string {
  try {
    return familiarReference(parseReference(name)).replace(/:latest$/, '');
  } catch {
    // Not every stage's name is an image's.
    return name;
  }
}
