import { SlipwayError } from '../base/errors.ts';

/** A client needs what a frontend cannot do. */
export class UnsupportedCapabilityError extends SlipwayError {
  readonly capability: string;

  constructor(capability: string) {
    super('unimplemented', `unsupported frontend capability ${capability}`);
    this.name = 'UnsupportedCapabilityError';
    this.capability = capability;
  }
}

/** Of the frontend that is built in (moby/buildkit, frontend/dockerfile/builder/caps.go). */
export const builtinCapabilities: ReadonlySet<string> = new Set([
  'moby.buildkit.frontend.inputs',
  'moby.buildkit.frontend.subrequests',
  'moby.buildkit.frontend.contexts',
  'moby.buildkit.frontend.gitquerystring',
]);

/**
 * Throws for a capability in the client's list that is not among those; `mayForward` lets those pass that may be had from a frontend
 * that this one hands the build on to.
 */
export function requireCapabilities(
  wanted: string | undefined,
  able: ReadonlySet<string>,
  { mayForward = false }: { readonly mayForward?: boolean } = {},
): void {
  for (const word of (wanted ?? '').split(',').filter((each) => each !== '')) {
    const [name = '', mark] = word.split('+', 2);
    if (!able.has(name) && !(mayForward && mark === 'forward')) throw new UnsupportedCapabilityError(name);
  }
}
