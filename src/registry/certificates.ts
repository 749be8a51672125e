import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../base/errors.ts';
import type { TlsOptions } from './http-transport.ts';

/** Where docker keeps registries' certificates. */
export const dockerCertificateDirectory = '/etc/docker/certs.d';

/**
 * Certificates of a registry as docker lays them out: `<directory>/<host[:port]>/*.crt` are trusted CAs, `x.cert` with `x.key` is
 * the client's own. Undefined when there is nothing for this host.
 */
export function readCertificates(directory: string, authority: string): TlsOptions | undefined {
  const place = join(directory, authority);
  const names = listDirectory(place);
  const read = (name: string) => readFileSync(join(place, name), 'utf8');
  const ca = names.filter((name) => name.endsWith('.crt')).map(read);
  const client = names.find((name) => name.endsWith('.cert') && names.includes(keyName(name)));
  if (ca.length === 0 && client === undefined) return undefined;
  return { ca, ...(client === undefined ? {} : { cert: read(client), key: read(keyName(client)) }) };
}

function keyName(certificate: string): string {
  return certificate.replace(/\.cert$/, '.key');
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
