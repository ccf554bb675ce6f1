/** Ids of a container's user by its account files (passwd(5), group(5)). */
import { unknownAccount } from './archive-errors.ts';

/** Contents of `/etc/passwd` and `/etc/group`. */
export interface AccountTexts {
  readonly passwd: string;
  readonly group: string;
}

const NUMBER = /^\d+$/;

/**
 * The ids that `user[:group]` means, each a name or a number. Without a group it is that of the account, 0 for numbers
 * without one. `invalid-argument` for unknown names.
 */
export function accountIds(user: string, texts: AccountTexts): { uid: number; gid: number } {
  const [name = '', group] = user.split(':');
  const account = find(texts.passwd, name);
  if (account === undefined && !NUMBER.test(name)) throw unknownAccount(name);
  const uid = Number(account?.[2] ?? name);
  if (group === undefined || group === '') return { uid, gid: Number(account?.[3] ?? 0) };
  const found = find(texts.group, group);
  if (found === undefined && !NUMBER.test(group)) throw unknownAccount(group);
  return { uid, gid: Number(found?.[2] ?? group) };
}

/** The fields of the line with this name, or with this number as its id. */
function find(text: string, key: string): readonly string[] | undefined {
  const lines = text.split('\n').map((line) => line.split(':'));
  return (
    lines.find(([name]) => name === key) ??
    (NUMBER.test(key) ? lines.find((fields) => fields[2] === key) : undefined)
  );
}
