/** What every container has mounted, and what of `/proc` and `/sys` is kept from it. */
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { SharedNamespaces } from './namespaces.ts';
import type { SpecFacts } from './spec-facts.ts';

/** What the mounts depend on. */
export interface DefaultMountsInput {
  readonly facts: Pick<SpecFacts, 'mappedGids' | 'sysIsReadOnly' | 'ipcDirs'>;
  readonly shared: SharedNamespaces;
  readonly privileged: boolean;
  readonly writableCgroups: boolean;
  /** In a network namespace of the engine's, and in the engine's user namespace: a sysfs can be mounted. */
  readonly ownsNetwork: boolean;
  /** Size of `/dev/shm`; 0 or absent for the default. */
  readonly shmSizeBytes: number | undefined;
  /** Shared memory that other containers have, too; undefined for one of the container's own. */
  readonly shmDir: string | undefined;
}

/** Docker's default size of `/dev/shm`. */
const DEFAULT_SHM_BYTES = 64 << 20;
/** The group `tty`, to which pseudo terminals belong. */
const TTY_GID = 5;

/** Hidden from containers that are not privileged (Docker's list). */
export const DEFAULT_MASKED_PATHS: readonly string[] = [
  ...['asound', 'acpi', 'interrupts', 'kcore', 'keys', 'latency_stats', 'timer_list'],
  ...['timer_stats', 'sched_debug', 'scsi'],
]
  .map((name) => `/proc/${name}`)
  .concat('/sys/firmware', '/sys/devices/virtual/powercap');

/** Not writable by containers that are not privileged (Docker's list). */
export const DEFAULT_READONLY_PATHS: readonly string[] = [
  ...['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'],
].map((name) => `/proc/${name}`);

/** In the order in which they must be mounted. */
export function defaultMounts(input: DefaultMountsInput): readonly SpecMount[] {
  const { shared } = input;
  return [
    procMount(shared.pid),
    mountOf('tmpfs', '/dev', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    ptsMount(input.facts.mappedGids),
    ...sysMounts(input),
    ...(shared.ipc ? sharedIpcMounts(input) : ownIpcMounts(input)),
  ];
}

/** Only the owner of a pid namespace may mount its `/proc`; the shared one is shown as it is. */
function procMount(shared: boolean): SpecMount {
  const options = ['nosuid', 'noexec', 'nodev'];
  if (shared) return bindOf('/proc', options);
  return mountOf('proc', '/proc', options);
}

function ptsMount(mappedGids: number): SpecMount {
  const group = mappedGids > TTY_GID ? [`gid=${TTY_GID}`] : [];
  const options = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...group];
  return mountOf('devpts', '/dev/pts', options);
}

function sysMounts({
  facts,
  privileged,
  writableCgroups,
  ownsNetwork,
}: DefaultMountsInput): readonly SpecMount[] {
  const base = ['nosuid', 'noexec', 'nodev'];
  const sys = privileged && !facts.sysIsReadOnly ? base : [...base, 'ro'];
  const cgroup = privileged || writableCgroups ? base : [...base, 'ro'];
  // Only the owner of the network namespace, which is the engine or nobody here, may mount a sysfs.
  const own = ownsNetwork ? mountOf('sysfs', '/sys', sys) : bindOf('/sys', [...base, 'ro']);
  return [own, mountOf('cgroup', '/sys/fs/cgroup', cgroup)];
}

function ownIpcMounts({ shared, shmSizeBytes, shmDir }: DefaultMountsInput): readonly SpecMount[] {
  const size = shmSizeBytes && shmSizeBytes > 0 ? shmSizeBytes : DEFAULT_SHM_BYTES;
  const base = ['nosuid', 'noexec', 'nodev'];
  const queue = mountOf('mqueue', '/dev/mqueue', base);
  if (shared.withoutShm) return [queue];
  if (shmDir !== undefined) return [queue, { ...bindOf('/dev/shm', base), source: shmDir }];
  return [queue, mountOf('tmpfs', '/dev/shm', [...base, 'mode=1777', `size=${size}`])];
}

function sharedIpcMounts({ facts }: DefaultMountsInput): readonly SpecMount[] {
  return facts.ipcDirs.map((dir) => bindOf(dir, ['nosuid', 'noexec', 'nodev']));
}

function mountOf(type: string, destination: string, options: readonly string[]): SpecMount {
  return { destination, type, source: destination === '/dev/shm' ? 'shm' : type, options };
}

function bindOf(path: string, options: readonly string[]): SpecMount {
  return { destination: path, type: 'bind', source: path, options: ['rbind', ...options] };
}
