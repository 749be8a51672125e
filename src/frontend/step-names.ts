import { formatPlatformInFull, normalizePlatform, type Platform, parsePlatform } from '../oci/platform.ts';

export interface StepNameParts {
  /** Shown in builds of several platforms. */
  readonly platform: Platform | undefined;
  /** Empty when there is just one stage. */
  readonly stageName: string;
  readonly total: number;
}

/** Numbers the steps of a stage for progress: `[linux/amd64->arm64 build 2/5] RUN make`. */
export class StepNames {
  readonly #parts: StepNameParts;
  #count = 0;
  /** The step comes from the base's ONBUILD. */
  isTriggered = false;

  constructor(parts: StepNameParts) {
    this.#parts = parts;
  }

  next(text: string, environment: ReadonlyMap<string, string> = new Map()): string {
    this.#count++;
    return this.current(text, environment);
  }

  /** Another name for the step that was counted last. */
  current(text: string, environment: ReadonlyMap<string, string>): string {
    const { platform, stageName, total } = this.#parts;
    const words = [
      ...(platform ? [formatPlatformInFull(platform) + crossSuffix(platform, environment)] : []),
      ...(stageName === '' ? [] : [stageName]),
      `${`${this.#count}`.padStart(`${total}`.length)}/${total}`,
    ];
    return `[${words.join(' ')}] ${this.isTriggered ? 'ONBUILD ' : ''}${text}`;
  }
}

/** `->arm64` where the stage's args say that it compiles for another platform than it runs on. */
function crossSuffix(base: Platform, environment: ReadonlyMap<string, string>): string {
  const target = targetOf(base, environment);
  if (!target) return '';
  if (target.os !== base.os) return `->${formatPlatformInFull(target)}`;
  if (target.architecture === base.architecture) return '';
  return `->${[target.architecture, ...(target.variant ? [target.variant] : [])].join('/')}`;
}

function targetOf(base: Platform, environment: ReadonlyMap<string, string>): Platform | undefined {
  const whole = environment.get('TARGETPLATFORM');
  if (whole !== undefined) {
    try {
      return parsePlatform(whole);
    } catch {
      // A value that is no platform is the user's own business.
    }
  }
  const [os, architecture, variant] = ['TARGETOS', 'TARGETARCH', 'TARGETVARIANT'].map((key) => environment.get(key));
  if (os === undefined && architecture === undefined && variant === undefined) return undefined;
  return normalizePlatform({
    os: os || base.os,
    architecture: architecture || base.architecture,
    ...(variant ? { variant } : {}),
  });
}
