/** A container's mounts in the form of the OCI runtime configuration. */
import type { SpecMount } from '../../oci/runtime-spec.ts';
import { assertNever } from '../../shared/errors.ts';
import type { MountPoint } from './container-document.ts';

/** What `docker run --tmpfs` mounts with unless told otherwise (Docker's `DefaultTmpfsOptions`). */
const TMPFS_DEFAULTS = ['noexec', 'nosuid', 'nodev'];

/** Pairs of options of which the last one given counts. */
const OPPOSITES: Readonly<Record<string, string>> = {
  exec: 'noexec',
  suid: 'nosuid',
  dev: 'nodev',
  rw: 'ro',
};

/** Mounts in order, outer ones first. */
export function toSpecMounts(mounts: readonly MountPoint[]): readonly SpecMount[] {
  return mounts.map(toSpecMount);
}

function toSpecMount(mount: MountPoint): SpecMount {
  const { destination, source } = mount;
  switch (mount.type) {
    case 'bind':
    case 'volume':
    case 'image': {
      const bind = mount.nonRecursive === true ? 'bind' : 'rbind';
      const options = [bind, mount.propagation || 'rprivate', mount.readOnly ? 'ro' : 'rw'];
      return { destination, source, type: 'bind', options };
    }
    case 'tmpfs':
      return { destination, source: 'tmpfs', type: 'tmpfs', options: tmpfsOptions(mount) };
    default:
      return assertNever(mount.type);
  }
}

function tmpfsOptions(mount: MountPoint): readonly string[] {
  const given = mount.tmpfsOptions.split(',').filter((option) => option !== '');
  const undone = new Set(given.map((option) => OPPOSITES[option] ?? ''));
  const defaults = TMPFS_DEFAULTS.filter((option) => !undone.has(option));
  const mode = given.some((option) => option.startsWith('mode=')) ? [] : ['mode=1777'];
  return [...defaults, ...mode, ...given.filter((option) => !defaults.includes(option))];
}
