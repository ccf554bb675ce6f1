/** Mount trees by descriptors (open_tree(2), mount_setattr(2), move_mount(2)): no path is looked up twice. */
import { closeSync } from 'node:fs';
import { checked, nativeFunction } from '../native.ts';

const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const SYS_MOUNT_SETATTR = 442;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MOUNT_ATTR_RDONLY = 1n;
const MS_PRIVATE = 1n << 18n;
const ATTRIBUTES_BYTES = 32;

const cOpenTree = nativeFunction(
  'long syscall(long number, int dir, const char *path, unsigned int flags)',
);
const cMountSetattr = nativeFunction(
  'long syscall(long number, int dir, const char *path, unsigned int flags, void *attributes, size_t size)',
);
const cMoveMount = nativeFunction(
  'long syscall(long number, int fromDir, const char *from, int toDir, const char *to, unsigned int flags)',
);

/**
 * Binds what is at `source`, with everything mounted below it, over the open file or directory `targetFd`, apart from
 * later mounts on either side. Needs Linux 5.12.
 */
export function bindOnto(
  source: string,
  targetFd: number,
  options: { readonly readOnly: boolean },
): void {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  const tree = checked(cOpenTree(SYS_OPEN_TREE, AT_FDCWD, source, flags), 'open_tree', source);
  try {
    const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
    if (options.readOnly) attributes.writeBigUInt64LE(MOUNT_ATTR_RDONLY, 0);
    attributes.writeBigUInt64LE(MS_PRIVATE, 16);
    const scope = AT_EMPTY_PATH | AT_RECURSIVE;
    checked(
      cMountSetattr(SYS_MOUNT_SETATTR, tree, '', scope, attributes, ATTRIBUTES_BYTES),
      'mount_setattr',
      source,
    );
    const both = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    checked(cMoveMount(SYS_MOVE_MOUNT, tree, '', targetFd, '', both), 'move_mount', source);
  } finally {
    closeSync(tree);
  }
}
