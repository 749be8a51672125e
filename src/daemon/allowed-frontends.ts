import { SlipwayError } from '../base/errors.ts';
import { parseReference, repositoryOf } from '../oci/reference.ts';

/** Which frontends builds may use; what is absent is allowed. */
export interface AllowedFrontends {
  /** The one that is built in. */
  readonly dockerfile?: boolean | undefined;
  /** Those from images. */
  readonly gateway?: boolean | undefined;
  /** Only from these, where there are any. */
  readonly repositories?: readonly string[] | undefined;
}

/** Throws permission-denied. */
export function checkBuiltinFrontend({ dockerfile }: AllowedFrontends): void {
  if (dockerfile === false)
    throw new SlipwayError('permission-denied', 'the frontend dockerfile.v0 is disabled by build daemon configuration');
}

/** Throws permission-denied. */
export function checkFrontendImage({ gateway, repositories = [] }: AllowedFrontends, source: string): void {
  if (gateway === false)
    throw new SlipwayError('permission-denied', 'frontends from images are disabled by build daemon configuration');
  if (repositories.length === 0) return;
  const wanted = repositoryOf(parseReference(source));
  if (!repositories.some((each) => repositoryOf(parseReference(each)) === wanted))
    throw new SlipwayError('permission-denied', `'${source}' is not an allowed gateway source`, {
      hint: 'see allowedRepositories of frontend."gateway.v0" in the configuration of the daemon',
    });
}
