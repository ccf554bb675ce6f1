/** When caches are cleared by themselves: `builder.gc` of `daemon.json`, decoded. */
import * as v from 'valibot';

/** Bytes, a share of the disk, or the smaller of the two. */
const spaceAmountSchema = v.object({
  bytes: v.optional(v.number()),
  percent: v.optional(v.number()),
});

/** One step; the steps are taken in their order. */
const gcPolicySchema = v.object({
  /** Also what is shared with images, and what the cache itself needs. */
  all: v.boolean(),
  /** Entries that were of use since then stay. */
  keepDurationMs: v.number(),
  /** Below this nothing is removed. */
  reservedSpace: v.optional(spaceAmountSchema),
  maxUsedSpace: v.optional(spaceAmountSchema),
  /** Of the disk, whoever uses it. */
  minFreeSpace: v.optional(spaceAmountSchema),
  /** Filters of cache entries by name: one value of each name must hold. */
  filter: v.record(v.string(), v.array(v.string())),
});

export const gcSettingsSchema = v.object({
  enabled: v.boolean(),
  policies: v.array(gcPolicySchema),
});

export type SpaceAmount = v.InferOutput<typeof spaceAmountSchema>;
export type GcPolicy = v.InferOutput<typeof gcPolicySchema>;
export type GcSettings = v.InferOutput<typeof gcSettingsSchema>;
