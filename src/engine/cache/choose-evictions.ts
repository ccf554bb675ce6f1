/** Which entries of the caches have to go. Pure. The meaning of the limits is that of BuildKit's policies. */
import type { GcPolicy, SpaceAmount } from '../../handshake/gc-settings.ts';
import type { CacheEntry } from '../../storage/cache-source.ts';
import { matchesConditions } from './match-entry.ts';

/** The disk below the data directory, in bytes. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** What may go, and how much stays. */
export interface EvictionRule extends GcPolicy {
  matches?(entry: CacheEntry): boolean;
}

/** Kinds that only a policy for `all` takes: the cache itself works with them. */
const INNER_TYPES: ReadonlySet<string> = new Set(['internal', 'frontend']);

/**
 * The entries that one policy removes, in the order in which they should go: what was of no use for the longest
 * time first, and before it nothing that stands on it.
 */
export function chooseEvictions<Entry extends CacheEntry>(
  entries: readonly Entry[],
  policy: EvictionRule,
  now: { readonly disk: DiskSpace; readonly nowMs: number },
): readonly Entry[] {
  let totalBytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  const keptBytes = bytesToKeep(totalBytes, policy, now.disk);
  const chosen: Entry[] = [];
  const candidates = entries
    .filter((entry) => isCandidate(entry, policy, now.nowMs))
    .toSorted((one, other) => one.lastUsedMs - other.lastUsedMs);
  for (const entry of candidates) {
    if (keptBytes !== undefined && totalBytes <= keptBytes) break;
    chosen.push(entry);
    totalBytes -= entry.sizeBytes;
  }
  return chosen;
}

function isCandidate(entry: CacheEntry, policy: EvictionRule, nowMs: number): boolean {
  if (entry.inUse || nowMs - entry.lastUsedMs < policy.keepDurationMs) return false;
  if (!policy.all && (entry.shared || INNER_TYPES.has(entry.type))) return false;
  if (policy.matches?.(entry) === false) return false;
  return matchesConditions(entry, policy.filter, nowMs);
}

/**
 * So many bytes all entries together may have; undefined when the policy sets no limit, and everything that is old
 * enough goes. Never less than what is reserved.
 */
function bytesToKeep(
  totalBytes: number,
  policy: EvictionRule,
  disk: DiskSpace,
): number | undefined {
  const reserved = toBytes(policy.reservedSpace, disk);
  const most = toBytes(policy.maxUsedSpace, disk);
  const free = toBytes(policy.minFreeSpace, disk);
  if (reserved === 0 && most === 0 && free === 0) return undefined;
  const lacking = Math.max(0, free - disk.freeBytes);
  const byFree = free === 0 ? Number.POSITIVE_INFINITY : totalBytes - lacking;
  const byMost = most === 0 ? Number.POSITIVE_INFINITY : most;
  const limit = Math.min(byFree, byMost);
  return Math.max(Number.isFinite(limit) ? limit : 0, reserved);
}

/** The smaller one when both a share of the disk and a number of bytes are given; 0 for none. */
function toBytes(amount: SpaceAmount | undefined, disk: DiskSpace): number {
  if (amount === undefined) return 0;
  const { percent, bytes } = amount;
  const share = percent === undefined ? undefined : (disk.totalBytes * percent) / 100;
  return Math.min(share ?? Number.POSITIVE_INFINITY, bytes ?? Number.POSITIVE_INFINITY);
}
