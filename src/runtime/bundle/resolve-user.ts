/** From `user[:group]` to ids, by the rules of Docker (`USER` of the Dockerfile reference). */
import type { SpecUser } from '../../oci/runtime-spec.ts';
import { idOutOfRange, unknownGroup, unknownUser } from '../runtime-errors.ts';
import {
  type GroupEntry,
  isNumber,
  type PasswdEntry,
  parseGroup,
  parsePasswd,
} from './account-files.ts';
import { readInRoot } from './rooted-path.ts';

/** A user with what its accounts file says besides the ids. */
export interface ResolvedUser {
  readonly user: SpecUser;
  /** `/` when the image does not know the user. */
  readonly home: string;
}

const LARGEST_ID = 2 ** 31 - 1;

/** Reads the accounts of the root file system and resolves against them. */
export async function resolveUserInRoot(
  rootfsDir: string,
  expression: string,
  extraGroups: readonly string[],
): Promise<ResolvedUser> {
  const [passwd, group] = await Promise.all(
    ['etc/passwd', 'etc/group'].map((path) => readInRoot(rootfsDir, path)),
  );
  const accounts = { users: parsePasswd(passwd ?? ''), groups: parseGroup(group ?? '') };
  return resolveUser(accounts, expression, extraGroups);
}

/** What an image knows of users. */
export interface Accounts {
  readonly users: readonly PasswdEntry[];
  readonly groups: readonly GroupEntry[];
}

/**
 * Ids and supplementary groups. Numbers need no entry; names do. Without a group in the expression the user's own
 * counts, and all groups that name it as a member; `extraGroups` (names or numbers) come on top.
 */
export function resolveUser(
  accounts: Accounts,
  expression: string,
  extraGroups: readonly string[],
): ResolvedUser {
  const [userPart = '', groupPart = ''] = expression.split(':', 2);
  const entry = findUser(accounts, userPart);
  const uid = entry?.uid ?? numericId(userPart === '' ? '0' : userPart);
  const gid = groupPart === '' ? (entry?.gid ?? 0) : groupId(accounts, groupPart);
  const own = groupPart === '' ? memberships(accounts, entry) : [];
  const extra = extraGroups.map((group) => groupId(accounts, group));
  // The primary group is repeated: a process that drops its gid must not lose what that group is denied.
  const additionalGids = [...new Set([gid, ...own, ...extra])];
  return { user: { uid, gid, additionalGids }, home: entry?.home || '/' };
}

function findUser({ users }: Accounts, name: string): PasswdEntry | undefined {
  if (name === '') return users.find(({ uid }) => uid === 0);
  const entry = users.find((user) => user.name === name);
  if (entry !== undefined) return entry;
  if (!isNumber(name)) throw unknownUser(name);
  return users.find(({ uid }) => uid === Number(name));
}

function groupId({ groups }: Accounts, name: string): number {
  const entry = groups.find((group) => group.name === name);
  if (entry !== undefined) return entry.gid;
  if (!isNumber(name)) throw unknownGroup(name);
  return numericId(name);
}

function memberships({ groups }: Accounts, user: PasswdEntry | undefined): readonly number[] {
  if (user === undefined) return [];
  return groups.filter(({ members }) => members.includes(user.name)).map(({ gid }) => gid);
}

function numericId(text: string): number {
  const id = Number(text);
  if (id > LARGEST_ID) throw idOutOfRange();
  return id;
}
