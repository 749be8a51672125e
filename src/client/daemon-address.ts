import { invalidArgument } from '../base/errors.ts';

/** Where a daemon listens. */
export type DaemonAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Reads `unix:///path`, `tcp://host:port` or a bare absolute path. */
export function parseDaemonAddress(text: string): DaemonAddress {
  const unix = /^(?:unix:\/\/)?(\/.+)$/.exec(text);
  if (unix?.[1] !== undefined) return { kind: 'unix', path: unix[1] };
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^/:]+):(\d{1,5})\/?$/.exec(text);
  const port = Number(tcp?.[2]);
  if (tcp?.[1] === undefined || port < 1 || port > 65_535) {
    throw invalidArgument(`cannot use ${JSON.stringify(text)} as the address of a daemon`, {
      hint: 'want unix:///path/to/socket or tcp://host:port',
    });
  }
  return { kind: 'tcp', host: tcp[1].replace(/^\[|\]$/g, ''), port };
}
