import type { Stage } from '../instruction.ts';

/** What is known of an image that a stage begins with. */
export interface BaseImage {
  readonly environment: ReadonlyMap<string, string>;
  /** Its config has a SHELL. */
  readonly hasShell?: boolean | undefined;
  /** As they are written, such as `linux/amd64`; only given when both are known. */
  readonly platform?: { readonly expected: string; readonly actual: string } | undefined;
}

export interface LintOptions {
  readonly buildArgs?: ReadonlyMap<string, string> | undefined;
  /** Name or index; the stages that it does not need are not looked into. Without it every stage is. */
  readonly target?: string | undefined;
  /** Takes the place of the file's `# check=` (BUILDKIT_DOCKERFILE_CHECK). */
  readonly check?: string | undefined;
  /** The build context's, as `readIgnoreFile` gives them. */
  readonly ignorePatterns?: readonly string[] | undefined;
  /** BUILDPLATFORM, TARGETARCH and so on. */
  readonly platformArgs?: ReadonlyMap<string, string> | undefined;
  /**
   * Undefined for an image that nobody resolved: then no variable of that stage counts as undefined.
   * `name` has its variables filled in; it is neither a stage nor scratch.
   */
  readonly baseImage?: ((stage: Stage, name: string) => BaseImage | undefined) | undefined;
}

export const defaultPlatformArgs: ReadonlyMap<string, string> = new Map(
  ['BUILD', 'TARGET'].flatMap((prefix): [string, string][] => [
    [`${prefix}PLATFORM`, 'linux/amd64'],
    [`${prefix}OS`, 'linux'],
    [`${prefix}OSVERSION`, ''],
    [`${prefix}ARCH`, 'amd64'],
    [`${prefix}VARIANT`, ''],
  ]),
);
