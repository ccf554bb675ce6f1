/** Extended attributes that belong to a container's files and travel in layers. */
import { lgetxattr, llistxattr } from '../../sys/libc.ts';
import { isMissing } from '../../sys/system-errors.ts';

/** How overlay and fuse-overlayfs mark whiteouts and redirects. */
const MARKS = ['user.overlay.', 'user.fuseoverlayfs.'];

/**
 * True for attributes that containers may have. A layer must not bring its own marks; `trusted.*` and `security.*` beyond file capabilities belong to the host.
 */
export function isAllowedXattr(name: string): boolean {
  if (MARKS.some((prefix) => name.startsWith(prefix))) return false;
  if (name.startsWith('user.')) return true;
  return name === 'security.capability' || name.startsWith('system.posix_acl_');
}

/** The attributes of the path itself that a layer takes along, ordered by name; none of what is not there any more. */
export function layerXattrs(path: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const name of namesOf(path).filter(isAllowedXattr).toSorted()) {
    const value = lgetxattr(path, name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

function namesOf(path: string): readonly string[] {
  try {
    return llistxattr(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
