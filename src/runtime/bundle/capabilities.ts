/** Which capabilities a container's processes have (capabilities(7); Docker's defaults and `CapAdd`/`CapDrop`). */
import type { SpecCapabilities } from '../../oci/runtime-spec.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import { invalidCapability, unknownCapability } from '../runtime-errors.ts';

/** All capabilities, each at the position of its number. */
const CAPABILITIES: readonly string[] = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'],
  ...['SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW'],
  ...['IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT'],
  ...['SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD'],
  ...['LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG'],
  ...['WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF', 'CHECKPOINT_RESTORE'],
].map((name) => `CAP_${name}`);

/** What a container has unless it asks for something else: Docker's documented list of fourteen. */
const DEFAULTS: ReadonlySet<string> = new Set(
  [
    ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID'],
    ...['SETFCAP', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
  ].map((name) => `CAP_${name}`),
);

const ALL = 'ALL';

/** What decides the set. */
export interface CapabilityChoice {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** Names of the capabilities whose bits are set, for a mask as in `/proc/PID/status`. */
export function capabilitiesOfMask(mask: bigint): readonly string[] {
  return CAPABILITIES.filter((_, bit) => (mask & (1n << BigInt(bit))) !== 0n);
}

/**
 * The capabilities of a container out of the `available` ones. `invalid-argument` for a name nobody knows; one that
 * the kernel knows and we do not have is left out.
 */
export function chooseCapabilities(
  choice: CapabilityChoice,
  available: readonly string[],
): readonly string[] {
  const add = new Set(choice.add.map(normalize));
  const drop = new Set(choice.drop.map(normalize));
  if (choice.privileged) return available;
  return available.filter((name) => {
    if (drop.has(name)) return false;
    if (add.has(name) || add.has(ALL)) return true;
    return !drop.has(ALL) && DEFAULTS.has(name);
  });
}

/** Throws `invalid-argument` with Docker's text for names that nobody knows. */
export function checkCapabilities(choice: Pick<HostConfig, 'CapAdd' | 'CapDrop'>): void {
  for (const field of ['CapAdd', 'CapDrop'] as const) {
    const unknown = (choice[field] ?? []).map(fullName).find((name) => !isKnown(name));
    if (unknown !== undefined) throw invalidCapability(field, unknown);
  }
}

/** The sets of a process. Others than root get them on executing a program with file capabilities only. */
export function toSpecCapabilities(names: readonly string[], uid: number): SpecCapabilities {
  const held = uid === 0 ? names : [];
  return { bounding: names, effective: held, permitted: held, inheritable: [], ambient: [] };
}

/** Upper case with prefix, as the runtimes want it; Docker takes it with and without. */
function normalize(name: string): string {
  const full = fullName(name);
  if (!isKnown(full)) throw unknownCapability(full);
  return full;
}

function fullName(name: string): string {
  const upper = name.toUpperCase();
  return upper === ALL || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

function isKnown(name: string): boolean {
  return name === ALL || CAPABILITIES.includes(name);
}
