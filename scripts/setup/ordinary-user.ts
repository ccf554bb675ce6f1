/** The account that containers run under: the caller's own, or one made for the tests when the caller is root. */
import { chownSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { $ } from 'zx';
import { TOOL_PATH } from './requirements.ts';

/** An account without privileges. */
export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly runtimeDir: string;
}

const TEST_USER = 'wherry-test';
const SUBORDINATE_COUNT = 65_536;
const FIRST_SUBORDINATE_ID = 100_000;

/** True when this process may do everything. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The caller, or the test account (made when missing, with subordinate ids and a runtime directory). */
export async function ordinaryUser(): Promise<OrdinaryUser> {
  if (!isRoot()) return callingUser();
  if (readAccount(TEST_USER) === undefined) {
    await $({ quiet: true })`useradd --create-home --shell /bin/sh ${TEST_USER}`;
  }
  await ensureSubordinateIds(TEST_USER);
  const account = readAccount(TEST_USER);
  if (account === undefined) throw new Error(`useradd made no account ${TEST_USER}`);
  return await withRuntimeDir(account);
}

/**
 * The argument list that runs `command` as `user` with an environment built from scratch. As the caller's own
 * account the command itself is the result, prefixed by `env`.
 */
export function commandAs(
  user: OrdinaryUser,
  command: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): readonly string[] {
  const variables = Object.entries({ ...environmentOf(user), ...extra });
  const env = ['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`)];
  if (!isRoot()) return [...env, ...command];
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups'];
  return ['setpriv', ...ids, ...env, ...command];
}

/** Whether `user` has a line in both /etc/subuid and /etc/subgid. */
export function hasSubordinateIds(user: OrdinaryUser): boolean {
  const names = [user.name, String(user.uid)];
  return ['/etc/subuid', '/etc/subgid'].every((file) =>
    readRanges(file).some(({ owner }) => names.includes(owner)),
  );
}

/** The account of this process. */
export function callingUser(): OrdinaryUser {
  const { username, uid, gid, homedir } = userInfo();
  const runtimeDir = process.env['XDG_RUNTIME_DIR'] ?? runtimeDirIn(homedir);
  mkdirSync(runtimeDir, { recursive: true, mode: 0o700 });
  return { name: username, uid, gid, home: homedir, runtimeDir };
}

function environmentOf(user: OrdinaryUser): Readonly<Record<string, string>> {
  const passed = ['CI', 'TERM', 'REQUIRE_CAPS', 'http_proxy', 'https_proxy', 'no_proxy'].flatMap(
    (name) => (process.env[name] === undefined ? [] : [[name, process.env[name] ?? '']]),
  );
  return {
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    XDG_RUNTIME_DIR: user.runtimeDir,
    PATH: [...nodeDir(), ...TOOL_PATH].join(':'),
    ...Object.fromEntries(passed),
  };
}

/** Where this Node lives, unless it is on the path anyway. */
function nodeDir(): readonly string[] {
  const dir = join(process.execPath, '..');
  return TOOL_PATH.includes(dir) ? [] : [dir];
}

function readAccount(name: string): OrdinaryUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  const [, , uid, gid, , home] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined || home === undefined) return undefined;
  const runtimeDir = join('/run/user', uid);
  return { name, uid: Number(uid), gid: Number(gid), home, runtimeDir };
}

/** Gives `name` subordinate user and group ids when it has none. Root only. */
export async function ensureSubordinateIds(name: string): Promise<void> {
  const both = [
    { file: '/etc/subuid', flag: '--add-subuids' },
    { file: '/etc/subgid', flag: '--add-subgids' },
  ];
  for (const { file, flag } of both) {
    const ranges = readRanges(file);
    if (ranges.some(({ owner }) => owner === name)) continue;
    const first = Math.max(FIRST_SUBORDINATE_ID, ...ranges.map(({ end }) => end));
    const range = `${first}-${first + SUBORDINATE_COUNT - 1}`;
    await $({ quiet: true })`usermod ${flag} ${range} ${name}`;
  }
}

function readRanges(file: string): readonly { owner: string; end: number }[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [owner, start, count] = line.split(':');
      if (owner === undefined || start === undefined || count === undefined) return [];
      return [{ owner, end: Number(start) + Number(count) }];
    });
}

/**
 * The usual runtime directory; one in the account's home where the machine keeps none. `/run/user` itself is the
 * session manager's to make.
 */
async function withRuntimeDir(user: OrdinaryUser): Promise<OrdinaryUser> {
  const { runtimeDir, uid, gid, home } = user;
  if (existsSync(runtimeDir) && statSync(runtimeDir).uid === uid) return user;
  if (existsSync(dirname(runtimeDir))) {
    mkdirSync(runtimeDir, { mode: 0o700 });
    chownSync(runtimeDir, uid, gid);
    return user;
  }
  const own = runtimeDirIn(home);
  await $({ quiet: true })`${commandAs(user, ['mkdir', '-p', '-m', '700', own])}`;
  return { ...user, runtimeDir: own };
}

function runtimeDirIn(home: string): string {
  return join(home, '.cache', 'wherry-runtime');
}
