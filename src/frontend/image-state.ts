import type { ContainerConfig, HistoryEntry, ImageConfig } from '../oci/image-config.ts';
import { normalizePlatform, type Platform } from '../oci/platform.ts';

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type MutableConfig = { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] };

/** What an image is that begins from nothing. */
function emptyImage({ os, architecture, variant }: Platform): ImageConfig {
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    config: { WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [] },
  };
}

/** An image config that grows as instructions are converted; `history` and `config` may be changed, the base never is. */
export class ImageState {
  /** Without its variables, which are in `environment`. */
  config: Omit<MutableConfig, 'Env'>;
  /** Where a variable once stands it stays. */
  readonly environment: Map<string, string>;
  readonly history: HistoryEntry[];
  author: string | undefined;
  readonly #base: ImageConfig;
  /** Of history entries and of the image, for reproducible builds; else the exporter fills them in. */
  readonly #created: string | undefined;

  constructor(base: ImageConfig | undefined, platform: Platform, epoch: number | undefined) {
    this.#base = base ?? emptyImage(platform);
    // Triggers are for whoever begins with the image, and do not go further.
    const { Env: variables = [], OnBuild: _, ...config } = this.#base.config ?? {};
    this.config = config;
    this.environment = new Map(variables.map(splitVariable));
    this.history = [...(this.#base.history ?? [])];
    this.author = this.#base.author;
    this.#created = epoch === undefined ? undefined : new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
    if (platform.os !== 'windows' && !this.environment.has('PATH')) this.environment.set('PATH', defaultPath);
  }

  /** For a stage that goes on from here. */
  fork(platform: Platform, epoch: number | undefined): ImageState {
    const base = { ...this.#base, config: { ...this.config, Env: this.#variables() }, history: this.history };
    const fork = new ImageState(base, platform, epoch);
    fork.author = this.author;
    return fork;
  }

  addHistory(createdBy: string, hasLayer: boolean): void {
    this.history.push({
      ...(this.#created === undefined ? {} : { created: this.#created }),
      created_by: createdBy,
      comment: 'buildkit.dockerfile.v0',
      ...(hasLayer ? {} : { empty_layer: true }),
    });
  }

  #variables(): string[] {
    return Array.from(this.environment, ([key, value]) => `${key}=${value}`);
  }

  /**
   * The finished config, without diff ids and without times that nobody fixed: the exporter knows both from the layers. An image is
   * for the platform that its base says, or for the one that was asked for.
   */
  finish(asked: Platform | undefined): ImageConfig {
    const { created: _, os, architecture, variant, 'os.version': version, ...base } = this.#base;
    const same = !asked || (asked.os === os && asked.architecture === architecture);
    const platform = normalizePlatform({
      os,
      architecture,
      ...(same && variant !== undefined ? { variant } : {}),
      ...(same && version !== undefined ? { 'os.version': version } : {}),
      ...asked,
    });
    return {
      ...base,
      ...platform,
      ...(this.author === undefined ? {} : { author: this.author }),
      ...(this.#created === undefined ? {} : { created: this.#created }),
      config: { ...this.config, ...(this.environment.size > 0 ? { Env: this.#variables() } : {}) },
      rootfs: { type: 'layers', diff_ids: [] },
      history: this.history,
    };
  }
}

function splitVariable(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
