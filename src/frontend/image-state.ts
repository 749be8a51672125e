import type { ContainerConfig, HistoryEntry, ImageConfig } from '../oci/image-config.ts';
import type { Platform } from '../oci/platform.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An image config that grows as instructions are converted; `history` and `config` may be changed, the base never is. */
export class ImageState {
  config: { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] };
  readonly history: HistoryEntry[];
  author: string | undefined;
  readonly #base: ImageConfig | undefined;
  readonly #platform: Platform;
  /** Times of history entries; fixed for reproducible builds. */
  readonly #created: string | undefined;

  constructor(base: ImageConfig | undefined, platform: Platform, epoch: number | undefined) {
    this.#base = base;
    this.#platform = platform;
    this.config = { ...base?.config };
    this.history = [...(base?.history ?? [])];
    this.author = base?.author;
    this.#created = epoch === undefined ? undefined : new Date(epoch * 1000).toISOString();
    if (platform.os !== 'windows' && !this.environment().has('PATH')) this.setVariable('PATH', defaultPath);
  }

  /** A stage that goes on from here. */
  fork(epoch: number | undefined): ImageState {
    const fork = new ImageState(this.#base, this.#platform, epoch);
    fork.config = { ...this.config };
    fork.history.splice(0, fork.history.length, ...this.history);
    fork.author = this.author;
    return fork;
  }

  environment(): Map<string, string> {
    return new Map(
      (this.config.Env ?? []).map((text) => {
        const equals = text.indexOf('=');
        return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
      }),
    );
  }

  setVariable(key: string, value: string): void {
    const others = this.config.Env ?? [];
    const at = others.findIndex((text) => text.startsWith(`${key}=`) || text === key);
    this.config.Env = at < 0 ? [...others, `${key}=${value}`] : others.with(at, `${key}=${value}`);
  }

  addHistory(createdBy: string, hasLayer: boolean): void {
    this.history.push({
      ...(this.#created === undefined ? {} : { created: this.#created }),
      created_by: createdBy,
      comment: 'buildkit.dockerfile.v0',
      ...(hasLayer ? {} : { empty_layer: true }),
    });
  }

  /** The finished config, without diff ids and without times that nobody fixed: the exporter knows both from the layers. */
  finish(): ImageConfig {
    const { os, architecture, variant } = this.#platform;
    const { created: _, ...base } = this.#base ?? {};
    return {
      ...base,
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      ...(this.author === undefined ? {} : { author: this.author }),
      ...(this.#created === undefined ? {} : { created: this.#created }),
      config: this.config,
      rootfs: { type: 'layers', diff_ids: [] },
      history: this.history,
    };
  }
}
