import { invalidArgument } from '../base/errors.ts';

/** Numbers that a `USER` value stands for inside a root file system. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Resolves `user[:group]`, names or numbers, against the texts of /etc/passwd and /etc/group (empty when the image has
 * none) as Docker does: a number needs no entry, a name does; without a group the user's own counts, or 0.
 */
export function resolveUser(value: string, passwd: string, group: string): ResolvedUser {
  const [userPart = '', groupPart] = splitOnce(value, ':');
  const users = passwdEntries(passwd);
  const groups = groupEntries(group);
  const user = findUser(userPart === '' ? '0' : userPart, users, value);
  if (groupPart !== undefined && groupPart !== '') {
    return { uid: user.uid, gid: findGroup(groupPart, groups, value), additionalGids: [], home: user.home };
  }
  const additionalGids =
    user.name === '' ? [] : groups.filter((each) => each.members.includes(user.name)).map((each) => each.gid);
  return { uid: user.uid, gid: user.gid, additionalGids, home: user.home };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function findUser(wanted: string, users: readonly PasswdEntry[], value: string): PasswdEntry {
  const number = idNumber(wanted);
  // A number is one, even where the image calls a user, say root, by it (CVE-2026-4668).
  const entry = users.find((user) => (number === undefined ? user.name === wanted : user.uid === number));
  if (entry) return entry;
  if (number !== undefined) return { name: '', uid: number, gid: 0, home: '/' };
  throw invalidArgument(
    `cannot use user ${JSON.stringify(value)}: there is no user ${JSON.stringify(wanted)} in /etc/passwd`,
    {
      hint: 'create the user in an earlier step, or give its number',
    },
  );
}

function findGroup(wanted: string, groups: readonly GroupEntry[], value: string): number {
  const number = idNumber(wanted);
  if (number !== undefined) return number;
  const entry = groups.find((group) => group.name === wanted);
  if (entry) return entry.gid;
  throw invalidArgument(
    `cannot use user ${JSON.stringify(value)}: there is no group ${JSON.stringify(wanted)} in /etc/group`,
    { hint: 'create the group in an earlier step, or give its number' },
  );
}

/** Ids are 32-bit; the last one, 2^32 - 1, means "no change" to the kernel and is refused (CVE-2017-1002157's like). */
function idNumber(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const number = Number(text);
  if (number >= 2 ** 31) throw invalidArgument(`cannot use id ${JSON.stringify(text)}: want at most ${2 ** 31 - 1}`);
  return number;
}

function passwdEntries(text: string): PasswdEntry[] {
  return fieldsOf(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    /^\d+$/.test(uid) && /^\d+$/.test(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid), home: home === '' ? '/' : home }]
      : [],
  );
}

function groupEntries(text: string): GroupEntry[] {
  return fieldsOf(text).flatMap(([name = '', , gid = '', members = '']) =>
    /^\d+$/.test(gid)
      ? [{ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }]
      : [],
  );
}

function fieldsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}
