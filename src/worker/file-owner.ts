import type { ChownOpt, UserOpt } from '../api/gen/ops_pb.js';
import { resolveUser } from '../oci/user.ts';
import type { Owner } from '../snapshot/copy-tree.ts';
import { readTextInRoot } from './read-in-root.ts';

/** The numbers behind `--chown`; names are looked up in the root that is written on. Undefined: no wish. */
export function fileOwner(owner: ChownOpt | undefined, root: string): Owner | undefined {
  if (!owner?.user && !owner?.group) return undefined;
  const words = [owner.user, owner.group].map(wordOf);
  const named = words.some((word) => word !== undefined && !/^\d+$/.test(word));
  const passwd = named ? (readTextInRoot(root, '/etc/passwd') ?? '') : '';
  const group = named ? (readTextInRoot(root, '/etc/group') ?? '') : '';
  const [user, groupWord] = words;
  const resolved = resolveUser(user ?? '0', passwd, group);
  if (groupWord !== undefined) return { uid: resolved.uid, gid: resolveUser(`0:${groupWord}`, passwd, group).gid };
  // A bare number owns with the group of the same number, a name with the user's own group.
  return { uid: resolved.uid, gid: user !== undefined && /^\d+$/.test(user) ? Number(user) : resolved.gid };
}

function wordOf(option: UserOpt | undefined): string | undefined {
  switch (option?.user.case) {
    case 'byName':
      return option.user.value.name;
    case 'byID':
      return `${option.user.value}`;
    default:
      return undefined;
  }
}

export function ownerKey(owner: ChownOpt | undefined): string {
  return owner ? `${wordOf(owner.user) ?? ''}:${wordOf(owner.group) ?? ''}` : '';
}
