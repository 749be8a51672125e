/** A port as the list of containers tells it. */
export interface PublishedPort {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** The PORTS column: `0.0.0.0:8080->80/tcp, 443/tcp`; neighbours as ranges. */
export function portsText(ports: readonly PublishedPort[]): string {
  const sorted = ports.toSorted(
    (a, b) => a.PrivatePort - b.PrivatePort || compare(a.Type, b.Type) || compare(a.IP ?? '', b.IP ?? ''),
  );
  const ranges: { first: PublishedPort; count: number }[] = [];
  for (const port of sorted) {
    const open = ranges.find(({ first, count }) => continues(first, count, port));
    if (open) open.count++;
    else ranges.push({ first: port, count: 1 });
  }
  return ranges.map(rangeText).join(', ');
}

function continues(first: PublishedPort, count: number, next: PublishedPort): boolean {
  const shifted = (port: number | undefined) => (port === undefined ? undefined : port + count);
  return (
    first.Type === next.Type &&
    first.IP === next.IP &&
    shifted(first.PrivatePort) === next.PrivatePort &&
    shifted(first.PublicPort) === next.PublicPort
  );
}

function rangeText({ first, count }: { readonly first: PublishedPort; readonly count: number }): string {
  const span = (port: number) => (count === 1 ? `${port}` : `${port}-${port + count - 1}`);
  const inner = `${span(first.PrivatePort)}/${first.Type}`;
  if (!first.PublicPort) return inner;
  const host =
    first.IP === undefined || first.IP === '' ? '' : `${first.IP.includes(':') ? `[${first.IP}]` : first.IP}:`;
  return `${host}${span(first.PublicPort)}->${inner}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
