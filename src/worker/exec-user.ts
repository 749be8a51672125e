import { resolveUser } from '../oci/user.ts';
import type { ProcessUser } from '../runtime/runtime.ts';
import type { Stack } from '../snapshot/snapshots.ts';
import { readTextInRoot } from './read-in-root.ts';
import type { WorkerServices } from './worker-services.ts';

/** The numbers behind `USER`, looked up in the step's own root file system. */
export async function userOf(value: string, stack: Stack, services: WorkerServices): Promise<ProcessUser> {
  if (value === '' || value === '0' || value === 'root' || value === '0:0') return { uid: 0, gid: 0 };
  using view = services.views.open(stack);
  const passwd = readTextInRoot(view.path, '/etc/passwd') ?? '';
  const group = readTextInRoot(view.path, '/etc/group') ?? '';
  const { uid, gid, additionalGids } = resolveUser(value, passwd, group);
  return { uid, gid, additionalGids };
}
