import { sourceOp } from '../graph/ops.ts';
import type { Edge, VertexLocation } from '../graph/vertex.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { parseImageConfig } from '../oci/parse-image-config.ts';
import { formatPlatformInFull, type Platform } from '../oci/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { BuildOptions } from './build-options.ts';
import type { FrontendGateway } from './frontend.ts';
import type { NamedContexts, NamedState } from './named-contexts.ts';

/** What a stage begins with, or COPY takes files from, when it is no stage. */
export interface StageBase {
  /** The state with at least the paths. */
  open(paths: readonly string[], shown: StepText): Edge | undefined;
  /** Undefined where nothing says what an image is: files alone, and scratch. */
  readonly config: ImageConfig | undefined;
  readonly platform: Platform;
  /** Whether it matters which paths are wanted. */
  readonly isSelective: boolean;
}

/** What an image's step says about itself. */
export interface StepText {
  /** Turns what it does into its name for progress. */
  readonly nameOf: (text: string) => string;
  /** The instruction; empty where it is no step of its own. */
  readonly command: string;
  readonly location?: VertexLocation | undefined;
}

export interface StageBasesOptions {
  readonly gateway: FrontendGateway;
  readonly options: BuildOptions;
  readonly named: NamedContexts;
  readonly platform: Platform;
}

/** Looks up images and what stands in their place. */
export class StageBases {
  readonly #parts: StageBasesOptions;

  constructor(parts: StageBasesOptions) {
    this.#parts = parts;
  }

  /** The image or named context behind a FROM or a `--from`. */
  async find(name: string, wanted: Platform | undefined): Promise<StageBase> {
    const platform = wanted ?? this.#parts.platform;
    if (name === 'scratch') return { ...scratch, platform: this.#parts.platform };
    const reference = formatReference(withDefaultTag(parseReference(name)));
    const named = await this.#parts.named.state(name, platform);
    return named ? namedBase(named, platform) : this.#image(reference, platform, wanted === undefined);
  }

  /** What the client put in the place of a stage. */
  async replacement(stageName: string, wanted: Platform | undefined): Promise<StageBase | undefined> {
    const platform = wanted ?? this.#parts.platform;
    const named = await this.#parts.named.state(stageName, platform);
    if (!named) return undefined;
    return namedBase(named, named.config ? platformOf(named.config) : platform);
  }

  async #image(reference: string, platform: Platform, isImplicit: boolean): Promise<StageBase> {
    const { gateway, options } = this.#parts;
    const shown = options.multiPlatform ? `${formatPlatformInFull(platform)} ` : '';
    const resolved = await gateway.resolveImageConfig(reference, {
      platform,
      resolveMode: options.resolveMode,
      logName: `[${shown}internal] load metadata for ${reference}`,
    });
    const config = parseImageConfig(resolved.config);
    const pinned = resolved.reference.includes('@') ? resolved.reference : `${resolved.reference}@${resolved.digest}`;
    const actual = isImplicit && options.platforms.length === 0 ? this.#detected(config, platform) : platform;
    if (isEmpty(config)) return { ...scratch, config, platform: actual };
    const attrs = options.resolveMode === 'default' ? {} : { 'image.resolvemode': options.resolveMode };
    return {
      open: (_paths, { nameOf, command, location }) =>
        sourceOp(`docker-image://${pinned}`, attrs, {
          name: nameOf(`FROM ${pinned}`),
          description: { 'com.docker.dockerfile.v1.command': command },
          platform: actual,
          location,
        }),
      config,
      platform: actual,
      isSelective: false,
    };
  }

  /** Where nobody asked for a platform an image is built for its own, if the worker can run it. */
  #detected({ os, architecture }: ImageConfig, platform: Platform): Platform {
    if (platform.os === os && platform.architecture === architecture) return platform;
    const { buildPlatform } = this.#parts.options;
    return buildPlatform.os === os && buildPlatform.architecture === architecture ? buildPlatform : platform;
  }
}

const scratch: Omit<StageBase, 'platform'> = { open: () => undefined, config: undefined, isSelective: false };

function namedBase({ files, config, isSelective }: NamedState, platform: Platform): StageBase {
  return { open: files, config, platform, isSelective };
}

function platformOf({ os, architecture, variant, 'os.version': version }: ImageConfig): Platform {
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
  };
}

/** An image without layers has nothing to fetch. */
function isEmpty({ rootfs, history = [] }: ImageConfig): boolean {
  return rootfs.diff_ids.length === 0 && history.every((entry) => entry.empty_layer === true);
}
