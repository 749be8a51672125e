import { type Digest, isDigest } from '../base/digest.ts';
import { invalidArgument } from '../base/errors.ts';

/**
 * The name of an image in a registry, in full: `docker.io/library/node:20` is `{domain: 'docker.io', path: 'library/node',
 * tag: '20'}`. Grammar and limits as github.com/distribution/reference.
 */
export interface Reference {
  /** Host, with a port when one was given. Docker Hub is always `docker.io`. */
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const defaultDomain = 'docker.io';
const hostForm =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[A-Fa-f0-9:]+\])(?::[0-9]{1,5})?$/;
const componentForm = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const longestText = 255 + 255 + 128 + 80;

/** Reads a name as people write it (`node:20-alpine`, `ghcr.io/o/r@sha256:…`). No default tag is added. */
export function parseReference(text: string): Reference {
  if (text.length > longestText) throw referenceError(text, `it is ${text.length} characters long`);
  if (/^[0-9a-f]{64}$/.test(text)) throw referenceError(text, '64 hex digits are an image id, not a name');
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  if (digest !== undefined && !isDigest(digest)) {
    throw referenceError(text, 'its digest is not sha256: and 64 lower-case hex digits');
  }
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !tagForm.test(tag)) {
    throw referenceError(text, `its tag ${JSON.stringify(tag)} is not one to 128 letters, digits, "_", "." or "-"`);
  }
  const { domain, path } = splitDomain(colon < 0 ? named : named.slice(0, colon));
  checkName(text, domain, path);
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The first component is a host when it looks like one: a dot, a port, an upper-case letter, or `localhost`. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  let domain = isHost ? first : defaultDomain;
  let path = isHost ? name.slice(slash + 1) : name;
  if (domain === 'index.docker.io' || domain === 'registry-1.docker.io') domain = defaultDomain;
  if (domain === defaultDomain && path !== '' && !path.includes('/')) path = `library/${path}`;
  return { domain, path };
}

function checkName(text: string, domain: string, path: string): void {
  if (!hostForm.test(domain)) throw referenceError(text, `${JSON.stringify(domain)} is not a registry host`);
  if (path === '') throw referenceError(text, 'the name is empty');
  if (path.length > 255) throw referenceError(text, 'the name is longer than 255 characters');
  if (path.split('/').every((component) => componentForm.test(component))) return;
  if (
    path
      .toLowerCase()
      .split('/')
      .every((component) => componentForm.test(component))
  ) {
    throw referenceError(text, 'repository name must be lowercase', `write ${JSON.stringify(text.toLowerCase())}`);
  }
  throw referenceError(text, 'each part of a name is lower-case letters and digits, joined by ".", "_", "__" or "-"');
}

function referenceError(text: string, why: string, hint?: string): Error {
  const shown = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
  return invalidArgument(`invalid reference format: cannot use ${shown} as an image name: ${why}`, { hint });
}

/** `domain/path`. */
export function repositoryOf(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** Everything written out: `docker.io/library/node:20@sha256:…`. */
export function formatReference(reference: Reference): string {
  return repositoryOf(reference) + suffixOf(reference);
}

function suffixOf({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

/** `domain/path` as people write it: without Docker Hub's host and `library/`. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const short = path.startsWith('library/') ? path.slice('library/'.length) : path;
  return short.includes('/') || path.startsWith('library/') ? short : path;
}

export function familiarReference(reference: Reference): string {
  return familiarRepository(reference) + suffixOf(reference);
}

/** Adds `:latest` where neither tag nor digest is given. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** The same repository by digest only. */
export function withDigest({ domain, path }: Reference, digest: Digest): Reference {
  return { domain, path, digest };
}

/** The same repository by tag only. */
export function withTag({ domain, path }: Reference, tag: string): Reference {
  return parseReference(`${domain}/${path}:${tag}`);
}

/** What a registry is asked for: the digest where there is one, else the tag, else `latest`. */
export function manifestKey({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}
