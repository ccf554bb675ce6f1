/** What earlier builds left: `docker buildx du` and `docker builder prune`. */
import type { BuildCache, CacheRecord } from '../../build-cache.ts';
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
        record: (await cache.list()).filter(recordFilter(filter)).map(toUsageRecord),
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
  const before = new Map((await cache.list()).map((record) => [record.id, record]));
  const { filter, all, keepDuration, reservedSpace, maxUsedSpace } = request;
  const keepBytes = Math.max(reservedSpace, maxUsedSpace);
  const { ids } = await cache.prune({
    all,
    matches: recordFilter(filter),
    ...(keepDuration === 0 ? {} : { unusedForMs: keepDuration / NS_PER_MS }),
    ...(keepBytes === 0 ? {} : { keepBytes }),
  });
  for (const id of ids) {
    const record = before.get(id);
    if (record !== undefined) yield toUsageRecord(record);
  }
}

function toUsageRecord(record: CacheRecord): EncodableOf<typeof UsageRecord> {
  const { id, kind, description, sizeBytes, inUse, shared, parents, usageCount } = record;
  const { createdAt, lastUsedAt } = record;
  return {
    ...{ id, recordType: kind, description, size: sizeBytes, inUse, shared, parents, usageCount },
    mutable: kind !== 'regular',
    createdAt: timestamp(Date.parse(createdAt)),
    lastUsedAt: lastUsedAt === undefined ? undefined : timestamp(Date.parse(lastUsedAt)),
  };
}
