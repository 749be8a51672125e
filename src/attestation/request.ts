import { hideSecret, maskCredentials } from '../base/scrub.ts';
import type { Capture } from './capture.ts';

/** What was asked of a frontend. */
export interface BuildRequest {
  readonly frontend: string;
  readonly options: ReadonlyMap<string, string>;
}

/** A request as SLSA's external parameters have it (BuildKit, docs/attestations/slsa-definitions.md). */
export interface RequestRecord {
  readonly configSource: ConfigSource;
  readonly request: RequestParameters;
}

interface ConfigSource {
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
  readonly path?: string;
}

export interface RequestParameters {
  readonly frontend?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly secrets?: readonly unknown[];
  readonly ssh?: readonly unknown[];
  readonly locals?: readonly { readonly name: string }[];
  /** Who made the states that were handed in. */
  readonly inputs?: Readonly<Record<string, RequestRecord>>;
  /** What the client asked for, where a frontend asked another one. */
  readonly root?: RequestRecord;
  readonly compatibilityVersion?: number;
}

/** Options that say how this machine builds, not what. */
const hostOptions: ReadonlySet<string> = new Set(['cgroup-parent', 'image-resolve-mode', 'platform', 'cache-imports']);

/** A request's options, fit to be told: without logins and without values whose names say that they are secret. */
function keptOptions(options: ReadonlyMap<string, string>): Map<string, string> {
  const contextKey = options.get('contextkey') || 'context';
  const kept = [...options].filter(([name]) => !hostOptions.has(name) && !name.startsWith('attest:'));
  return new Map(
    kept.map(([name, value]) => {
      if (name === contextKey || name.startsWith('context:')) return [name, maskCredentials(value)];
      const argument = /^build-arg:(.*)$/.exec(name)?.[1];
      return [name, argument === undefined ? value : hideSecret(argument, value)];
    }),
  );
}

/** The context and the file are the source of the configuration; all else are arguments. */
export function recordRequest(
  { frontend, options }: BuildRequest,
  sources: Capture | undefined,
  inputs: Readonly<Record<string, RequestRecord>> | undefined,
): RequestRecord {
  const args = keptOptions(options);
  const contextKey = args.get('contextkey') || (args.get('input:context') ? 'input:context' : 'context');
  const context = args.get(contextKey);
  const path = args.get('filename');
  if (context) args.delete(contextKey);
  if (path) args.delete('filename');
  const found = context ? configOf(context, sources) : {};
  const sorted = [...args].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    configSource: { ...found, ...(path ? { path } : {}) },
    request: {
      ...(frontend === '' ? {} : { frontend }),
      ...(sorted.length > 0 ? { args: Object.fromEntries(sorted) } : {}),
      ...(inputs ? { inputs } : {}),
    },
  };
}

function configOf(context: string, sources: Capture | undefined): ConfigSource {
  const uri = maskCredentials(context);
  const plain = plainRemote(uri);
  for (const [url, commit] of sources?.git ?? [])
    if (plainRemote(url) === plain && commit !== '') return { uri, digest: commitDigest(commit) };
  const checksum = sources?.http.get(uri);
  return checksum ? { uri, digest: digestSet(checksum) } : { uri };
}

/** `https://host/repo.git#ref`, without the directory in it. */
function plainRemote(uri: string): string {
  const [remote = '', fragment = ''] = uri.split('#', 2);
  const ref = fragment.split(':', 1)[0] ?? '';
  return ref === '' ? remote : `${remote}#${ref}`;
}

export function commitDigest(commit: string): Record<string, string> {
  return { [commit.length === 64 ? 'sha256' : 'sha1']: commit };
}

/** `sha256:ab…` → `{sha256: 'ab…'}`. */
export function digestSet(digest: string): Record<string, string> {
  const [algorithm = '', hex = ''] = digest.split(':', 2);
  return hex === '' ? {} : { [algorithm]: hex };
}

export function sameRecord(a: RequestRecord, b: RequestRecord): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** `mode=min`: no build arguments, labels, secrets or ssh; tells whether that left something out. */
export function reduceRequest(request: RequestParameters): {
  readonly reduced: RequestParameters;
  readonly incomplete: boolean;
} {
  const { secrets: _secrets, ssh: _ssh, args, inputs, root, ...rest } = request;
  let incomplete = false;
  const inner = (record: RequestRecord): RequestRecord => {
    const { reduced, incomplete: less } = reduceRequest(record.request);
    incomplete ||= less;
    return { ...record, request: reduced };
  };
  const kept = Object.entries(args ?? {}).filter(([name]) => !/^(?:build-arg|label):/.test(name));
  incomplete ||= kept.length < Object.keys(args ?? {}).length;
  const reduced = {
    ...rest,
    ...(kept.length > 0 ? { args: Object.fromEntries(kept) } : {}),
    ...(inputs
      ? { inputs: Object.fromEntries(Object.entries(inputs).map(([name, each]) => [name, inner(each)])) }
      : {}),
    ...(root ? { root: inner(root) } : {}),
  };
  return { reduced, incomplete };
}
