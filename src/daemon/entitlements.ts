import { NetMode, SecurityMode } from '../api/gen/ops_pb.js';
import { invalidArgument, SlipwayError } from '../base/errors.ts';
import type { Edge, Vertex } from '../graph/vertex.ts';

/** What a step may do beyond its sandbox, when daemon and client both allow it. */
export const entitlements = ['network.host', 'security.insecure'] as const;
export type Entitlement = (typeof entitlements)[number];

export function parseEntitlement(text: string): Entitlement {
  const found = entitlements.find((each) => each === text);
  if (!found)
    throw invalidArgument(`unknown entitlement ${JSON.stringify(text)}`, { hint: `want ${entitlements.join(' or ')}` });
  return found;
}

/** Throws permission-denied when the client asks for more than the daemon allows. */
export function grantEntitlements(asked: readonly string[], allowed: ReadonlySet<Entitlement>): Set<Entitlement> {
  const granted = new Set<Entitlement>();
  for (const text of asked) {
    const entitlement = parseEntitlement(text);
    if (!allowed.has(entitlement))
      throw new SlipwayError(
        'permission-denied',
        `granting entitlement ${entitlement} is not allowed by build daemon configuration`,
        { hint: `start the daemon with --allow-insecure-entitlement ${entitlement}` },
      );
    granted.add(entitlement);
  }
  return granted;
}

/** Holds a build's graph against what it was granted, each vertex once. */
export class EntitlementCheck {
  readonly #granted: ReadonlySet<Entitlement>;
  readonly #checked = new WeakSet<Vertex>();

  constructor(granted: ReadonlySet<Entitlement>) {
    this.#granted = granted;
  }

  /** Throws permission-denied at the first step that wants more. */
  check({ vertex }: Edge): void {
    const pending = [vertex];
    for (let next = pending.pop(); next; next = pending.pop()) {
      if (this.#checked.has(next)) continue;
      this.#checked.add(next);
      for (const wanted of wantedBy(next)) this.#require(wanted);
      pending.push(...next.inputs.map((input) => input.vertex));
    }
  }

  /** Likewise for a process that is no step of the graph. */
  checkExec(network: NetMode, security: SecurityMode): void {
    for (const wanted of wantedFor({ network, security })) this.#require(wanted);
  }

  #require(wanted: Entitlement): void {
    if (this.#granted.has(wanted)) return;
    throw new SlipwayError('permission-denied', `failed to load LLB: ${wanted} is not allowed`, {
      hint: `the step needs --allow ${wanted}`,
    });
  }
}

function wantedBy({ op: { op } }: Vertex): readonly Entitlement[] {
  return op.case === 'exec' ? wantedFor(op.value) : [];
}

function wantedFor(process: { readonly network: NetMode; readonly security: SecurityMode }): readonly Entitlement[] {
  return [
    ...(process.network === NetMode.HOST ? (['network.host'] as const) : []),
    ...(process.security === SecurityMode.INSECURE ? (['security.insecure'] as const) : []),
  ];
}
