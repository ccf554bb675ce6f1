/** What earlier builds left: `docker buildx du` and `docker builder prune`. */
import type { CacheEntry } from '../../../storage/cache-source.ts';
import type { BuildCache } from '../../build-cache.ts';
import { type ServedMethod, serverStream, unary } from '../grpc/service.ts';
import { timestamp } from '../proto/common.ts';
import {
  DiskUsageRequest,
  DiskUsageResponse,
  PruneRequest,
  UsageRecord,
} from '../proto/control.ts';
import type { EncodableOf, MessageOf } from '../proto/message.ts';
import { recordFilter } from './record-filter.ts';

const CONTROL = '/moby.buildkit.v1.Control';
const NS_PER_MS = 1e6;

export function usageMethods(cache: BuildCache): ReadonlyMap<string, ServedMethod> {
  return new Map([
    [
      `${CONTROL}/DiskUsage`,
      unary({ request: DiskUsageRequest, response: DiskUsageResponse }, async ({ filter }) => ({
        record: (await cache.usage()).filter(recordFilter(filter)).map(toUsageRecord),
      })),
    ],
    [
      `${CONTROL}/Prune`,
      serverStream({ request: PruneRequest, response: UsageRecord }, (request) =>
        prune(cache, request),
      ),
    ],
  ]);
}

async function* prune(cache: BuildCache, request: MessageOf<typeof PruneRequest>) {
  const before = new Map((await cache.usage()).map((entry) => [entry.id, entry]));
  const { filter, all, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace } = request;
  const { ids } = await cache.prune({
    all,
    matches: recordFilter(filter),
    keepDurationMs: keepDuration / NS_PER_MS,
    reservedSpace: { bytes: reservedSpace },
    maxUsedSpace: { bytes: maxUsedSpace },
    minFreeSpace: { bytes: minFreeSpace },
  });
  for (const id of ids) {
    const entry = before.get(id);
    if (entry !== undefined) yield toUsageRecord(entry);
  }
}

function toUsageRecord(entry: CacheEntry): EncodableOf<typeof UsageRecord> {
  const { id, type, description, sizeBytes, inUse, shared, parents, usageCount } = entry;
  return {
    ...{ id, recordType: type, description, size: sizeBytes, inUse, shared, parents, usageCount },
    mutable: type !== 'regular',
    createdAt: timestamp(entry.createdMs),
    lastUsedAt: usageCount === 0 ? undefined : timestamp(entry.lastUsedMs),
  };
}
