import type { MetaSchema } from '../../api/gen/ops_pb.js';
import type { InitOf } from '../../api/message/schema.ts';

const fields = new Map<string, 'httpProxy' | 'httpsProxy' | 'ftpProxy' | 'noProxy' | 'allProxy'>([
  ['http_proxy', 'httpProxy'],
  ['https_proxy', 'httpsProxy'],
  ['ftp_proxy', 'ftpProxy'],
  ['no_proxy', 'noProxy'],
  ['all_proxy', 'allProxy'],
]);

/** Proxies that the client gave as build args: steps see them without declaring them, and they are in no history or cache key. */
export function proxyOf(buildArgs: ReadonlyMap<string, string>): Pick<InitOf<typeof MetaSchema>, 'proxyEnv'> {
  const proxyEnv: Record<string, string> = {};
  // Of two spellings the last in byte order counts, as in Go's client.
  for (const [key, value] of [...buildArgs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const field = fields.get(key.toLowerCase());
    if (field !== undefined) proxyEnv[field] = value;
  }
  return Object.keys(proxyEnv).length > 0 ? { proxyEnv } : {};
}
