/** Sources in git repositories, by the git program. */
import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { run } from '../../sys/exec/run.ts';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { foreignCommit, gitFailed, invalidContext, noSuchSubdir } from '../builder-errors.ts';

/** Where a git source is. */
interface GitSource {
  readonly remote: string;
  readonly ref: string | undefined;
  readonly subdir: string;
}

export interface Checkout {
  /** Empty; gets the files. */
  readonly dir: string;
  readonly keepGitDir: boolean;
  /** The commit that must be found, or how its name begins. */
  readonly commit?: string | undefined;
  readonly signal: AbortSignal;
}

type GitResult = { readonly failed: boolean; readonly output: string };

const TIMEOUT_MS = 600_000;

/** True for what Docker takes for a git repository rather than a file. */
export function isGitUrl(text: string): boolean {
  if (/^(?:git|ssh):\/\//.test(text) || /^git@[^:/]+:/.test(text)) return true;
  if (text.startsWith('github.com/')) return true;
  return /^https?:\/\/[^#?]+\.git(?:[#?].*)?$/.test(text);
}

/** `url[#ref[:directory]]`. */
function parseGitUrl(text: string): GitSource {
  const [address = '', fragment = ''] = text.split('#', 2);
  const at = fragment.indexOf(':');
  const ref = at < 0 ? fragment : fragment.slice(0, at);
  const remote = address.startsWith('github.com/') ? `https://${address}` : address;
  const subdir = at < 0 ? '' : posix.join('/', fragment.slice(at + 1)).slice(1);
  return { remote, ref: ref === '' ? undefined : ref, subdir };
}

/**
 * Puts the files of a repository into a directory. `unavailable` with what git says when it cannot, `invalid-argument`
 * for another commit than the one that is wanted, `not-found` when the repository has no such directory.
 */
export async function checkOutGit(
  deps: Pick<BuilderDeps, 'openHostProxy'>,
  url: string,
  { dir, keepGitDir, commit, signal }: Checkout,
): Promise<void> {
  const { remote, ref = 'HEAD', subdir } = parseGitUrl(url);
  if (remote.startsWith('-') || ref.startsWith('-')) throw invalidContext(`invalid git URL ${url}`);
  await using proxy = await deps.openHostProxy();
  const env = gitEnvironment(proxy.url);
  const git = async (...args: readonly string[]): Promise<GitResult> => {
    const command = { file: 'git', args: ['-C', dir, ...args], env };
    const done = await run(command, { timeoutMs: TIMEOUT_MS, signal });
    return { failed: done.exitCode !== 0, output: `${done.stderr}${done.stdout}` };
  };
  const must = async (...args: readonly string[]) => {
    const { failed, output } = await git(...args);
    if (failed) throw gitFailed(remote, output);
    return output;
  };
  await must('init', '--quiet');
  const found = await fetchRef(git, remote, ref);
  await must('checkout', '--quiet', '--detach', found);
  const head = (await must('rev-parse', 'HEAD')).trim();
  if (commit !== undefined && !head.startsWith(commit)) throw foreignCommit(commit, head);
  await must('submodule', 'update', '--init', '--recursive', '--depth=1', '--quiet');
  if (!keepGitDir) await rm(join(dir, '.git'), { recursive: true, force: true });
  if (subdir !== '') await keepOnly(dir, subdir);
}

/** Fetches what `ref` names; resolves to what it is called here. */
async function fetchRef(
  git: (...args: readonly string[]) => Promise<GitResult>,
  remote: string,
  ref: string,
): Promise<string> {
  // A server may have no part of a history, or not give single commits: then more is fetched.
  const ways = [
    { what: ['--depth=1', remote, ref], found: 'FETCH_HEAD' },
    { what: [remote, ref], found: 'FETCH_HEAD' },
    { what: ['--tags', remote, '+refs/heads/*:refs/remotes/origin/*'], found: ref },
  ];
  let said = '';
  for (const { what, found } of ways) {
    const { failed, output } = await git('fetch', '--quiet', ...what);
    if (!failed) return found;
    said = output;
  }
  throw gitFailed(remote, said);
}

/** Nobody is there to be asked for a password. Repositories by HTTP are reached as the host reaches them. */
function gitEnvironment(proxyUrl: string): Readonly<Record<string, string>> {
  return {
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.proxy',
    GIT_CONFIG_VALUE_0: proxyUrl,
  };
}

/** Makes a directory of the checkout the whole of it; links lead to no other place. */
async function keepOnly(dir: string, subdir: string): Promise<void> {
  const aside = `${dir}.all`;
  await rename(dir, aside);
  try {
    await rename(realDirectory(aside, subdir), dir);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function realDirectory(root: string, subdir: string): string {
  const rootFd = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    const fd = openInRoot(rootFd, subdir, O_PATH | constants.O_DIRECTORY);
    try {
      return readlinkSync(pathOfFd(fd));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isMissing(error) || errnoCode(error) === 'ENOTDIR') throw noSuchSubdir(subdir, error);
    throw error;
  } finally {
    closeSync(rootFd);
  }
}
