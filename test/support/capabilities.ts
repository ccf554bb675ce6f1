/** What a test needs of the machine. A lack skips the test with its reason, or fails it where it was promised. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_SUITES, clientDir } from '../../scripts/setup/docker-clients.ts';

/** Abilities that tests may ask for; each is probed once, by using it where that is cheap. */
export type Capability =
  | 'userns'
  | 'subordinate-ids'
  | 'net-tun'
  | 'crun'
  | 'runc'
  | 'conmon'
  | 'slirp4netns'
  | 'pasta'
  | 'curl'
  | 'iperf3'
  | 'nft'
  | 'ip'
  | 'fuse-overlayfs'
  | 'busybox'
  | 'docker-cli'
  | 'docker-clients'
  | 'docker-py'
  | 'docker-registry'
  | 'mmdebstrap'
  | 'apt-mirror'
  | 'openssl'
  | 'skopeo'
  | 'tmux'
  | 'qemu'
  | 'erofs'
  | 'gzip'
  | 'zstd'
  | 'xz'
  | 'bzip2'
  | 'reflink';

/** To be spread into the options of a test or a suite. */
export interface Requirements {
  readonly skip: string | false;
}

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const PROBES: Readonly<Record<Capability, () => boolean>> = {
  userns: () => succeeds('unshare', ['--user', '--map-root-user', 'true']),
  'subordinate-ids': () =>
    succeeds('unshare', ['--user', '--map-root-user', '--map-auto', 'chown', '--version']),
  'net-tun': () => isWritable('/dev/net/tun'),
  crun: () => findProgram('crun') !== undefined,
  runc: () => findProgram('runc') !== undefined,
  conmon: () => findProgram('conmon') !== undefined,
  slirp4netns: () => findProgram('slirp4netns') !== undefined,
  pasta: () => findProgram('pasta') !== undefined,
  curl: () => findProgram('curl') !== undefined,
  iperf3: () => findProgram('iperf3') !== undefined,
  nft: () => findProgram('nft') !== undefined,
  ip: () => findProgram('ip') !== undefined,
  'fuse-overlayfs': () => findProgram('fuse-overlayfs') !== undefined && isWritable('/dev/fuse'),
  busybox: () => findProgram('busybox') !== undefined,
  'docker-cli': () => findProgram('docker') !== undefined,
  'docker-clients': () => CLIENT_SUITES.every(({ suite }) => clientDir(suite) !== undefined),
  'docker-py': () => succeeds('/usr/bin/python3', ['-c', 'import docker']),
  'docker-registry': () => findProgram('docker-registry') !== undefined,
  mmdebstrap: () => findProgram('mmdebstrap') !== undefined,
  'apt-mirror': () => succeeds('apt-get', ['indextargets', '--format', '$(SITE)']),
  openssl: () => findProgram('openssl') !== undefined,
  skopeo: () => findProgram('skopeo') !== undefined,
  tmux: () => findProgram('tmux') !== undefined,
  qemu: () =>
    findProgram('qemu-system-x86_64') !== undefined && findProgram('mke2fs') !== undefined,
  erofs: () => findProgram('fsck.erofs') !== undefined,
  gzip: () => findProgram('gzip') !== undefined,
  zstd: () => findProgram('zstd') !== undefined,
  xz: () => findProgram('xz') !== undefined,
  bzip2: () => findProgram('bzip2') !== undefined,
  reflink: () =>
    findProgram('filefrag') !== undefined && sharesBlocks(process.env['WHERRY_REFLINK_DIR']),
};

const known = new Map<Capability, boolean>();

/**
 * Options that skip a test when the machine lacks something. Names in the environment variable `REQUIRE_CAPS`
 * (comma-separated, or `all`) must be there: lacking one of them throws, so that a promise is never skipped.
 */
export function requires(...capabilities: readonly Capability[]): Requirements {
  const missing = capabilities.filter((capability) => !has(capability));
  const promised = missing.filter(isPromised);
  if (promised.length > 0) throw new Error(`this machine must have: ${promised.join(', ')}`);
  return { skip: missing.length > 0 ? `needs ${missing.join(', ')}` : false };
}

/** Whether the machine has `capability`. */
export function has(capability: Capability): boolean {
  const cached = known.get(capability);
  if (cached !== undefined) return cached;
  const present = PROBES[capability]();
  known.set(capability, present);
  return present;
}

/** Absolute path of a program in the system's directories, undefined when it is not there. */
export function findProgram(name: string): string | undefined {
  return SEARCH_PATH.split(':')
    .map((dir) => join(dir, name))
    .find(isExecutable);
}

function isPromised(capability: Capability): boolean {
  const promised = (process.env['REQUIRE_CAPS'] ?? '').split(',');
  return promised.includes('all') || promised.includes(capability);
}

/** Whether files in `dir` can share blocks: ioctl_ficlone(2) by copying one. */
function sharesBlocks(dir: string | undefined): boolean {
  if (dir === undefined) return false;
  const [from, to] = [join(dir, 'from'), join(dir, 'to')];
  try {
    writeFileSync(from, 'block');
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    for (const path of [from, to]) rmSync(path, { force: true });
  }
}

function isExecutable(path: string): boolean {
  return hasAccess(path, constants.X_OK) && statSync(path).isFile();
}

function isWritable(path: string): boolean {
  return hasAccess(path, constants.R_OK | constants.W_OK);
}

function hasAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function succeeds(file: string, args: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}
