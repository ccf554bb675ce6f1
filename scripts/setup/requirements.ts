/** What the tests and the demonstration need of the machine, and the package that brings each. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Who needs a tool: `try` is what running containers takes, `test` is everything. */
export type Purpose = 'test' | 'try';

/** One program, or library of an interpreter, and the Debian package that holds it. */
export interface Requirement {
  readonly program: string;
  /** The file whose presence says that the package is there, for one that brings no program. */
  readonly file?: string;
  readonly packageName: string;
  /** Any of these will do instead of `program`. */
  readonly alternatives?: readonly string[];
  readonly purposes: readonly Purpose[];
}

const BOTH: readonly Purpose[] = ['test', 'try'];
const TEST_ONLY: readonly Purpose[] = ['test'];

const REQUIREMENTS: readonly Requirement[] = [
  { program: 'crun', packageName: 'crun', alternatives: ['runc'], purposes: ['try'] },
  { program: 'crun', packageName: 'crun', purposes: TEST_ONLY },
  { program: 'runc', packageName: 'runc', purposes: TEST_ONLY },
  { program: 'conmon', packageName: 'conmon', purposes: BOTH },
  { program: 'tini-static', packageName: 'tini', purposes: TEST_ONLY },
  { program: 'slirp4netns', packageName: 'slirp4netns', purposes: BOTH },
  { program: 'pasta', packageName: 'passt', purposes: TEST_ONLY },
  { program: 'newuidmap', packageName: 'uidmap', purposes: BOTH },
  { program: 'busybox', packageName: 'busybox-static', purposes: BOTH },
  { program: 'nft', packageName: 'nftables', purposes: BOTH },
  { program: 'ip', packageName: 'iproute2', purposes: TEST_ONLY },
  { program: 'fuse-overlayfs', packageName: 'fuse-overlayfs', purposes: TEST_ONLY },
  { program: 'docker-registry', packageName: 'docker-registry', purposes: TEST_ONLY },
  { program: 'openssl', packageName: 'openssl', purposes: TEST_ONLY },
  { program: 'skopeo', packageName: 'skopeo', purposes: TEST_ONLY },
  { program: 'mmdebstrap', packageName: 'mmdebstrap', purposes: TEST_ONLY },
  { program: 'ps', packageName: 'procps', purposes: TEST_ONLY },
  { program: 'curl', packageName: 'curl', purposes: TEST_ONLY },
  { program: 'iperf3', packageName: 'iperf3', purposes: TEST_ONLY },
  { program: 'tmux', packageName: 'tmux', purposes: TEST_ONLY },
  { program: 'zstd', packageName: 'zstd', purposes: TEST_ONLY },
  { program: 'xz', packageName: 'xz-utils', purposes: TEST_ONLY },
  { program: 'bzip2', packageName: 'bzip2', purposes: TEST_ONLY },
  { program: 'qemu-system-x86_64', packageName: 'qemu-system-x86', purposes: TEST_ONLY },
  { program: 'fsck.erofs', packageName: 'erofs-utils', purposes: TEST_ONLY },
  { program: 'mke2fs', packageName: 'e2fsprogs', purposes: TEST_ONLY },
  { program: 'filefrag', packageName: 'e2fsprogs', purposes: TEST_ONLY },
  { program: 'mkfs.xfs', packageName: 'xfsprogs', purposes: TEST_ONLY },
  {
    program: 'docker-py',
    packageName: 'python3-docker',
    file: '/usr/lib/python3/dist-packages/docker/__init__.py',
    purposes: TEST_ONLY,
  },
  { program: 'git', packageName: 'git', purposes: TEST_ONLY },
];

/** PATH of the programs we look for: an ordinary user's PATH often lacks the sbin directories. */
export const TOOL_PATH = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];

/** Absolute path of a program on `TOOL_PATH`, undefined when it is not there. */
export function findTool(program: string): string | undefined {
  return TOOL_PATH.map((dir) => join(dir, program)).find(isExecutableFile);
}

/** The requirements of `purpose` that the machine does not meet. */
export function missingRequirements(purpose: Purpose): readonly Requirement[] {
  return REQUIREMENTS.filter(
    ({ purposes, program, file, alternatives = [] }) =>
      purposes.includes(purpose) &&
      (file === undefined
        ? [program, ...alternatives].every((name) => findTool(name) === undefined)
        : !existsSync(file)),
  );
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
