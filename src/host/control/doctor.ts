/** `wherry doctor`: does this machine have what the daemon needs, and what to do when not. */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { messageOf } from '../../shared/errors.ts';
import { findExecutableSync } from '../../sys/exec/find-executable.ts';
import { run } from '../../sys/exec/run.ts';
import { readSubordinateIds } from '../../sys/idmap/subordinate-ids.ts';
import type { DoctorCheck } from '../machine.ts';
import { checkLimits } from './check-limits.ts';
import { checkNetworks } from './check-networks.ts';
import { checkRegistryLimits } from './check-registry-limits.ts';
import { checkStorageDriver } from './check-storage-driver.ts';

/** Whose machine is examined. */
export interface DoctorQuestion {
  readonly uid: number;
  readonly userName: string;
  readonly searchPath: string;
  /** Where the API of a running daemon is. */
  readonly apiSocket: string;
}

/** A program with the packages that bring it. */
interface Tool {
  readonly name: string;
  readonly debian: string;
  readonly fedora: string;
  readonly without: 'missing' | 'limited';
  readonly why: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'unshare',
    debian: 'util-linux',
    fedora: 'util-linux',
    without: 'missing',
    why: 'makes the namespaces',
  },
  {
    name: 'nsenter',
    debian: 'util-linux',
    fedora: 'util-linux',
    without: 'missing',
    why: 'enters the namespaces',
  },
  {
    name: 'conmon',
    debian: 'conmon',
    fedora: 'conmon',
    without: 'missing',
    why: 'watches over each container',
  },
  {
    name: 'newuidmap',
    debian: 'uidmap',
    fedora: 'shadow-utils',
    without: 'limited',
    why: 'maps more than one user into containers',
  },
  {
    name: 'newgidmap',
    debian: 'uidmap',
    fedora: 'shadow-utils',
    without: 'limited',
    why: 'maps more than one group into containers',
  },
  {
    name: 'slirp4netns',
    debian: 'slirp4netns',
    fedora: 'slirp4netns',
    without: 'limited',
    why: 'lets containers reach the network (or pasta, of the package passt, does)',
  },
  {
    name: 'nft',
    debian: 'nftables',
    fedora: 'nftables',
    without: 'limited',
    why: 'translates the addresses of containers',
  },
  {
    name: 'fuse-overlayfs',
    debian: 'fuse-overlayfs',
    fedora: 'fuse-overlayfs',
    without: 'limited',
    why: "lets containers keep the caller's id (keep-id), by /dev/fuse",
  },
];

const PROBE_TIMEOUT_MS = 10_000;
const NAMESPACE_CURE =
  'allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces above 0';

/** Answers every question, in the order in which a start needs the things. Never rejects. */
export async function examine(question: DoctorQuestion): Promise<readonly DoctorCheck[]> {
  const tools = TOOLS.map((tool) => checkTool(tool, question.searchPath));
  return [
    await guarded('user namespaces', checkNamespaces),
    ...tools,
    checkRuntimes(question.searchPath),
    await guarded('subordinate ids', (name) => checkSubordinateIds(name, question)),
    await guarded('/dev/net/tun', checkTun),
    await guarded('echo requests', checkPing),
    await guarded('overlay file system', checkOverlay),
    await guarded('storage driver', (name) => checkStorageDriver(name, question.apiSocket)),
    await guarded('bridge networks', (name) => checkNetworks(name, question.apiSocket)),
    await guarded('registry limits', (name) => checkRegistryLimits(name, question.apiSocket)),
    await guarded('resource limits', (name) => checkLimits(name, question.uid)),
  ];
}

function checkTool(tool: Tool, searchPath: string): DoctorCheck {
  const path = findExecutableSync(tool.name, searchPath);
  if (path !== undefined) return { name: tool.name, state: 'ok', detail: path };
  return {
    name: tool.name,
    state: tool.without,
    detail: `not installed; it ${tool.why}`,
    cure: installation(tool.debian, tool.fedora),
  };
}

function checkRuntimes(searchPath: string): DoctorCheck {
  const found = ['crun', 'runc'].flatMap(
    (runtime) => findExecutableSync(runtime, searchPath) ?? [],
  );
  const name = 'OCI runtime';
  if (found.length > 0) return { name, state: 'ok', detail: found.join(', ') };
  const detail = 'neither crun nor runc is installed; one of them starts the containers';
  return { name, state: 'missing', detail, cure: installation('crun', 'crun') };
}

async function checkNamespaces(name: string): Promise<DoctorCheck> {
  const args = ['--user', '--mount', '--net', '--propagation', 'slave', '--', 'true'];
  const completed = await run({ file: 'unshare', args }, { timeoutMs: PROBE_TIMEOUT_MS });
  if (completed.exitCode === 0) return { name, state: 'ok', detail: 'can be made' };
  return { name, state: 'missing', detail: completed.stderr.trim(), cure: NAMESPACE_CURE };
}

async function checkSubordinateIds(
  name: string,
  { uid, userName }: DoctorQuestion,
): Promise<DoctorCheck> {
  if (uid === 0) return { name, state: 'ok', detail: 'not needed by root' };
  const { uids, gids } = await readSubordinateIds({ uid, userName });
  const count = uids.reduce((sum, range) => sum + range.count, 0);
  if (uids.length > 0 && gids.length > 0) {
    return { name, state: 'ok', detail: `${count} user ids granted to ${userName}` };
  }
  return {
    name,
    state: 'limited',
    detail: `none granted to ${userName}: containers have a single user`,
    cure: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${userName}`,
  };
}

/** The helpers that lead out send echo requests of containers as this user (icmp(7)). */
async function checkPing(name: string): Promise<DoctorCheck> {
  const range = await readFile('/proc/sys/net/ipv4/ping_group_range', 'utf8');
  const [low = 1, high = 0] = range.trim().split(/\s+/).map(Number);
  const groups = [process.getgid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  if (groups.some((group) => group >= low && group <= high)) {
    return { name, state: 'ok', detail: 'can be sent to the outside by containers' };
  }
  const detail = 'no group of this user may send them: containers cannot ping the outside';
  return { name, state: 'limited', detail, cure: CURES[name] ?? '' };
}

async function checkTun(name: string): Promise<DoctorCheck> {
  await access(name, constants.R_OK | constants.W_OK);
  return { name, state: 'ok', detail: 'can be opened' };
}

async function checkOverlay(name: string): Promise<DoctorCheck> {
  const known = await readFile('/proc/filesystems', 'latin1');
  if (/\boverlay$/m.test(known)) return { name, state: 'ok', detail: 'known to the kernel' };
  const detail = 'the kernel does not know it (yet): layers are copied, which is slow';
  return { name, state: 'limited', detail, cure: 'sudo modprobe overlay' };
}

const CURES: Readonly<Record<string, string>> = {
  '/dev/net/tun': 'sudo modprobe tun && sudo chmod 0666 /dev/net/tun',
  'user namespaces': NAMESPACE_CURE,
  'echo requests': 'sudo sysctl "net.ipv4.ping_group_range=0 2147483647"',
};

/** A question that cannot be answered is answered with why. */
async function guarded(
  name: string,
  check: (name: string) => Promise<DoctorCheck>,
): Promise<DoctorCheck> {
  try {
    return await check(name);
  } catch (error) {
    const cure = CURES[name];
    return {
      name,
      state: name === 'user namespaces' ? 'missing' : 'limited',
      detail: messageOf(error),
      ...(cure === undefined ? {} : { cure }),
    };
  }
}

function installation(debian: string, fedora: string): string {
  return `sudo apt-get install ${debian} (Debian, Ubuntu) or sudo dnf install ${fedora} (Fedora)`;
}
