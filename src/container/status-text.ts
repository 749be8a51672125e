import { humanSpan } from '../base/human-span.ts';
import type { ContainerRecord } from './container-record.ts';

/** The STATUS column of `docker ps`. */
export function statusText({ state }: ContainerRecord, now = Date.now()): string {
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${humanSpan(now - Date.parse(state.startedAt))}`;
    case 'removing':
      return 'Removal In Progress';
    case 'exited':
      return `Exited (${state.exitCode}) ${humanSpan(now - Date.parse(state.finishedAt))} ago`;
  }
}
