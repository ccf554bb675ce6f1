/** Sources in git repositories, by the git program. */
import { rename, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { run } from '../../sys/exec/run.ts';
import { gitFailed, invalidContext } from '../builder-errors.ts';

/** Where a git source is. */
interface GitSource {
  readonly remote: string;
  readonly ref: string | undefined;
  readonly subdir: string;
}

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

/** Puts the files of a repository into an empty directory. `unavailable` with what git says when it cannot. */
export async function checkOutGit(
  url: string,
  options: { readonly dir: string; readonly keepGitDir: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { dir, keepGitDir, signal } = options;
  const { remote, ref = 'HEAD', subdir } = parseGitUrl(url);
  if (remote.startsWith('-') || ref.startsWith('-')) throw invalidContext(`invalid git URL ${url}`);
  const git = async (...args: readonly string[]) => {
    const command = { file: 'git', args: ['-C', dir, ...args] };
    const done = await run(command, { timeoutMs: TIMEOUT_MS, signal });
    return { failed: done.exitCode !== 0, output: `${done.stderr}${done.stdout}` };
  };
  const must = async (...args: readonly string[]) => {
    const { failed, output } = await git(...args);
    if (failed) throw gitFailed(remote, output);
  };
  await must('init', '--quiet');
  const shallow = await git('fetch', '--quiet', '--depth=1', remote, ref);
  // A server may not give single commits: then everything is fetched.
  if (shallow.failed)
    await must('fetch', '--quiet', '--tags', remote, '+refs/heads/*:refs/heads/*');
  await must('checkout', '--quiet', '--detach', shallow.failed ? ref : 'FETCH_HEAD');
  await must('submodule', 'update', '--init', '--recursive', '--depth=1', '--quiet');
  if (subdir !== '') await keepOnly(dir, subdir);
  else if (!keepGitDir) await rm(join(dir, '.git'), { recursive: true, force: true });
}

/** Makes a directory of the checkout the whole of it. */
async function keepOnly(dir: string, subdir: string): Promise<void> {
  const aside = `${dir}.all`;
  await rename(dir, aside);
  try {
    await rename(join(aside, subdir), dir);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}
