import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Digest, isDigest } from '../../base/digest.ts';
import { errorMessage, invalidArgument, notFound } from '../../base/errors.ts';
import { randomId } from '../../base/random-id.ts';
import type { ServedLayout } from '../../client/serve-content.ts';
import { parseGitUrl } from '../../frontend/git-url.ts';
import { parseLayoutIndex, refNameAnnotation } from '../../oci/image-layout.ts';

/** Where the contexts of `--build-context name=…` are, as the daemon is told and as this machine serves them. */
export interface NamedContexts {
  readonly options: Readonly<Record<string, string>>;
  readonly directories: ReadonlyMap<string, string>;
  readonly layouts: ReadonlyMap<string, ServedLayout>;
}

const layoutPrefix = 'oci-layout://';

export function readNamedContexts(texts: readonly string[]): NamedContexts {
  const options: Record<string, string> = {};
  const directories = new Map<string, string>();
  const layouts = new Map<string, ServedLayout>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals <= 0)
      throw invalidArgument(`cannot use build context ${JSON.stringify(text)}`, {
        hint: 'want name=path, name=docker-image://image or name=oci-layout://path:tag',
      });
    const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
    if (value.startsWith(layoutPrefix)) {
      const { path, tag, digest } = parseLayoutReference(value.slice(layoutPrefix.length));
      const store = randomId();
      layouts.set(`oci:${store}`, { directory: resolve(path) });
      options[`context:${name}`] = `${layoutPrefix}${store}@${digest ?? digestIn(value, resolve(path), tag)}`;
    } else if (/^(docker-image|https?|git|ssh):\/\//.test(value) || parseGitUrl(value))
      options[`context:${name}`] = value;
    else {
      // Not to be taken for the build's own.
      const local = name === 'context' || name === 'dockerfile' ? `_${name}` : name;
      directories.set(local, directoryOf(name, value));
      options[`context:${name}`] = `local:${local}`;
    }
  }
  return { options, directories, layouts };
}

function directoryOf(name: string, value: string): string {
  const directory = resolve(value);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return directory;
  throw notFound(`cannot use build context ${JSON.stringify(name)}: there is no directory ${JSON.stringify(value)}`);
}

/** `path[:tag][@digest]`, as buildx reads it. */
export function parseLayoutReference(text: string): {
  readonly path: string;
  readonly tag: string;
  readonly digest: Digest | undefined;
} {
  const at = text.lastIndexOf('@');
  const named = text.slice(at + 1);
  const digest = at >= 0 && isDigest(named) ? named : undefined;
  const rest = digest ? text.slice(0, at) : text;
  const [, path = rest, tag = 'latest'] = /^(.*):(\w[\w.-]{0,127})$/.exec(rest) ?? [];
  return { path, tag, digest };
}

function digestIn(value: string, directory: string, tag: string): Digest {
  try {
    const { manifests } = parseLayoutIndex(readFileSync(join(directory, 'index.json')));
    const found = manifests.find(({ annotations }) => annotations?.[refNameAnnotation] === tag);
    if (found) return found.digest;
    const [only] = manifests;
    // One without any name is what its directory is about.
    if (only && manifests.length === 1 && only.annotations?.[refNameAnnotation] === undefined) return only.digest;
    const known = manifests.flatMap(({ annotations }) => annotations?.[refNameAnnotation] ?? []);
    throw notFound(
      `no image "${tag}" in it; it has ${known.map((each) => `"${each}"`).join(', ') || 'none with a name'}`,
    );
  } catch (error) {
    throw invalidArgument(`cannot use ${JSON.stringify(value)}: ${errorMessage(error)}`, {
      hint: 'want oci-layout://path:tag or oci-layout://path@sha256:…',
    });
  }
}
