import type { ExecOp, SourceOp } from '../api/gen/ops_pb.js';
import { MountType, NetMode } from '../api/gen/ops_pb.js';
import type { Digest } from '../base/digest.ts';
import { maskCredentials } from '../base/scrub.ts';
import { verticesOf } from '../graph/definition.ts';
import type { Vertex } from '../graph/vertex.ts';
import type { Platform } from '../oci/platform.ts';
import { parseReference, repositoryOf } from '../oci/reference.ts';

export interface ImageMaterial {
  readonly reference: string;
  readonly platform: Platform | undefined;
  readonly digest: string;
  /** From an image layout of the client, not from a registry. */
  readonly local: boolean;
}

interface Access {
  readonly id: string;
  readonly optional: boolean;
}

/** What went into a result: its sources as they were found, and what its steps asked for. Never a secret's value. */
export class Capture {
  images: ImageMaterial[] = [];
  /** By URL: the commit. */
  readonly git = new Map<string, string>();
  /** By URL: the digest of what came. */
  readonly http = new Map<string, string>();
  readonly locals = new Set<string>();
  readonly secrets = new Map<string, boolean>();
  readonly ssh = new Map<string, boolean>();
  networkAccess = false;
  incomplete = false;

  addImage(image: ImageMaterial): void {
    const same = ({ reference, local, platform }: ImageMaterial) =>
      reference === image.reference && local === image.local && samePlatform(platform, image.platform);
    if (!this.images.some(same)) this.images.push(image);
  }

  addSecret({ id, optional }: Access): void {
    this.secrets.set(id, optional && this.secrets.get(id) !== false);
  }

  addSsh({ id, optional }: Access): void {
    this.ssh.set(id || 'default', optional && this.ssh.get(id || 'default') !== false);
  }

  merge(other: Capture): void {
    for (const image of other.images) this.addImage(image);
    for (const [url, commit] of other.git) if (!this.git.has(url)) this.git.set(url, commit);
    for (const [url, digest] of other.http) if (!this.http.has(url)) this.http.set(url, digest);
    for (const name of other.locals) this.locals.add(name);
    for (const [id, optional] of other.secrets) this.addSecret({ id, optional });
    for (const [id, optional] of other.ssh) this.addSsh({ id, optional });
    this.networkAccess ||= other.networkAccess;
    this.incomplete ||= other.incomplete;
  }

  /** An image that is named by its digest alone is left out where it is named by its tag as well. */
  dropPinnedTwins(): void {
    const tagged = new Set(
      this.images
        .map(({ reference }) => parseReference(reference))
        .flatMap((each) => (each.digest ? [] : [nameOf(each)])),
    );
    this.images = this.images.filter(({ reference }) => {
      const parsed = parseReference(reference);
      return parsed.digest === undefined || !tagged.has(nameOf(parsed));
    });
  }
}

function nameOf(reference: ReturnType<typeof parseReference>): string {
  return `${repositoryOf(reference)}:${reference.tag ?? 'latest'}`;
}

function samePlatform(a: Platform | undefined, b: Platform | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.os === b.os &&
    a.architecture === b.architecture &&
    (a.variant ?? '') === (b.variant ?? '') &&
    (a['os.version'] ?? '') === (b['os.version'] ?? '')
  );
}

/** What was found out about a source when it was keyed: `manifest`, `commit`, `checksum`. */
export type FactsOf = (vertex: Digest) => Readonly<Record<string, string>>;

export function captureGraph(last: Vertex, factsOf: FactsOf): Capture {
  const capture = new Capture();
  for (const { op, digest } of verticesOf(last)) {
    if (op.op.case === 'source') captureSource(capture, op.op.value, op.platform, factsOf(digest));
    else if (op.op.case === 'exec') captureExec(capture, op.op.value);
    else if (op.op.case === 'build') capture.incomplete = true;
  }
  return capture;
}

function captureSource(
  capture: Capture,
  { identifier, attrs }: SourceOp,
  platform: Parameters<typeof platformFields>[0],
  facts: Readonly<Record<string, string>>,
): void {
  const [scheme = '', rest = ''] = split(identifier);
  switch (scheme) {
    case 'docker-image':
    case 'oci-layout': {
      const digest = /@(sha256:[0-9a-f]{64})$/.exec(rest)?.[1] ?? facts.manifest ?? '';
      capture.addImage({ reference: rest, platform: platformFields(platform), digest, local: scheme === 'oci-layout' });
      return;
    }
    case 'git':
      captureGit(capture, rest, attrs, facts.commit ?? '');
      return;
    case 'http':
    case 'https':
      capture.http.set(maskCredentials(identifier), facts.checksum ?? '');
      return;
    case 'local':
      capture.locals.add(rest);
      return;
    default:
      capture.incomplete = true;
  }
}

function captureGit(capture: Capture, rest: string, attrs: SourceOp['attrs'], commit: string): void {
  const [bare = '', fragment = ''] = rest.split('#', 2);
  const ref = fragment.split(':', 1)[0] ?? '';
  const remote = attrs['git.fullurl'] || `https://${bare}`;
  capture.git.set(maskCredentials(ref === '' ? remote : `${remote}#${ref}`), commit);
  for (const name of ['git.authtokensecret', 'git.authheadersecret']) {
    const id = attrs[name];
    if (id) capture.addSecret({ id, optional: true });
  }
  const socket = attrs['git.mountsshsock'];
  if (socket) capture.addSsh({ id: socket, optional: true });
}

function captureExec(capture: Capture, { mounts, secretenv, network }: ExecOp): void {
  for (const { mountType, secretOpt, SSHOpt } of mounts) {
    if (mountType === MountType.SECRET)
      capture.addSecret({ id: secretOpt?.ID ?? '', optional: secretOpt?.optional === true });
    if (mountType === MountType.SSH) capture.addSsh({ id: SSHOpt?.ID ?? '', optional: SSHOpt?.optional === true });
  }
  for (const { ID, optional } of secretenv) capture.addSecret({ id: ID, optional });
  if (network !== NetMode.NONE) capture.networkAccess = true;
}

function split(identifier: string): [string, string] {
  const at = identifier.indexOf('://');
  return at < 0 ? ['', identifier] : [identifier.slice(0, at), identifier.slice(at + 3)];
}

function platformFields(
  platform: { OS: string; Architecture: string; Variant: string; OSVersion: string } | undefined,
): Platform | undefined {
  if (!platform || platform.OS === '') return undefined;
  const { OS, Architecture, Variant, OSVersion } = platform;
  return {
    os: OS,
    architecture: Architecture,
    ...(Variant === '' ? {} : { variant: Variant }),
    ...(OSVersion === '' ? {} : { 'os.version': OSVersion }),
  };
}
