import { notFound } from '../../base/errors.ts';

/** The one builder there is so far: the daemon itself. */
export const builderName = 'default';

export function refuseOtherBuilder(name: string | undefined): void {
  if (name === undefined || name === '' || name === builderName) return;
  throw notFound(`no builder ${JSON.stringify(name)} found`, { hint: `there is only "${builderName}" so far` });
}
