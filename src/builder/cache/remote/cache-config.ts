/**
 * BuildKit's description of a cache, `application/vnd.buildkit.cacheconfig.v0`: which layers there are, and which steps
 * lead to them. A step of ours is a record without inputs: its key stands for all that it depends on.
 */
import * as v from 'valibot';
import { chainIdOn } from '../../../oci/chain-id.ts';
import { type Digest, parseDigest } from '../../../oci/digest.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import type { BuiltLayer, CachedStep } from '../../solver.ts';

export const CACHE_CONFIG = 'application/vnd.buildkit.cacheconfig.v0';

/** What a cache of another place has for a step. */
export interface ImportedStep {
  /** Layers below the step's own. */
  readonly parent: Digest | undefined;
  /** Undefined when the step wrote nothing. */
  readonly layer: BuiltLayer | undefined;
  /** RFC 3339. */
  readonly created: string;
}

export type ImportedSteps = ReadonlyMap<Digest, readonly ImportedStep[]>;

const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && parseDigest(value) !== undefined,
  'not a digest',
);
const LayerSchema = v.object({
  blob: digest,
  /** Left out for 0 by writers in Go; -1 for none. */
  parent: v.optional(v.number(), 0),
  annotations: v.optional(
    v.object({
      mediaType: v.optional(v.string(), ''),
      diffID: v.optional(v.string(), ''),
      size: v.optional(v.number(), 0),
      createdAt: v.optional(v.string()),
    }),
  ),
});
const RecordSchema = v.object({
  digest,
  layers: v.optional(v.array(v.object({ layer: v.number(), createdAt: v.optional(v.string()) }))),
  inputs: v.optional(v.nullable(v.array(v.unknown()))),
});
const RecordsSchema = v.array(RecordSchema);
const ConfigSchema = v.object({
  layers: v.optional(v.nullable(v.array(LayerSchema))),
  records: v.optional(v.nullable(RecordsSchema)),
});

export type CacheRecord = v.InferInput<typeof RecordSchema>;
type CacheConfig = v.InferInput<typeof ConfigSchema>;

/** Layers of a cache, each once and after the one below; `indexOf` finds them by chainID. */
interface LayerTable {
  readonly layers: readonly BuiltLayer[];
  readonly indexOf: ReadonlyMap<Digest, number>;
}

/** All layers of the steps. */
export function layersOf(steps: readonly CachedStep[]): readonly BuiltLayer[] {
  return tableOf(steps).layers;
}

function tableOf(steps: readonly CachedStep[]): LayerTable {
  const layers = new Map<Digest, BuiltLayer>();
  for (const layer of steps.flatMap((step) => step.layers)) {
    if (!layers.has(layer.chainId)) layers.set(layer.chainId, layer);
  }
  const indexOf = new Map([...layers.keys()].map((chainId, index) => [chainId, index]));
  return { layers: [...layers.values()], indexOf };
}

/** The description of a cache; `blobOf` is the form in which it has a layer. */
export function toCacheConfig(
  steps: readonly CachedStep[],
  blobOf: (layer: BuiltLayer) => Descriptor,
): CacheConfig {
  const table = tableOf(steps);
  const parents = new Map<Digest, number>();
  const createdAt = new Map<Digest, string>();
  for (const { layers, created } of steps) {
    for (const [at, { chainId }] of layers.entries()) {
      const below = layers[at - 1];
      parents.set(chainId, below === undefined ? -1 : (table.indexOf.get(below.chainId) ?? -1));
    }
    const top = layers.at(-1);
    if (top !== undefined) createdAt.set(top.chainId, created);
  }
  return {
    layers: table.layers.map((layer) => {
      const { mediaType, digest: blob, size } = blobOf(layer);
      const created = createdAt.get(layer.chainId);
      const annotations = { mediaType, diffID: layer.diffId, size };
      return {
        blob,
        parent: parents.get(layer.chainId) ?? -1,
        annotations: created === undefined ? annotations : { ...annotations, createdAt: created },
      };
    }),
    records: [...toRecords(steps, table.indexOf)],
  };
}

/** Records of the steps whose layers have a place in `indexOf`. */
export function toRecords(
  steps: readonly CachedStep[],
  indexOf: ReadonlyMap<Digest, number>,
): readonly CacheRecord[] {
  const records = new Map<Digest, CacheRecord>();
  for (const { key, layers, created } of steps) {
    const top = layers.at(-1);
    const layer = top === undefined ? undefined : indexOf.get(top.chainId);
    if (layer === undefined) continue;
    records.set(key, { digest: key, layers: [{ layer, createdAt: created }] });
  }
  return [...records.values()];
}

/** Steps of a description. Throws for what is none; records of other builders lead to nothing, and are passed over. */
export function readCacheConfig(raw: unknown): ImportedSteps {
  const { layers, records } = v.parse(ConfigSchema, raw);
  const chain: { layer: BuiltLayer; parent: Digest | undefined }[] = [];
  for (const { blob, parent, annotations } of layers ?? []) {
    const below = parent < 0 ? undefined : chain[parent]?.layer.chainId;
    const diffId = parseDigest(annotations?.diffID ?? '');
    if (annotations === undefined || diffId === undefined) return new Map();
    const descriptor = { mediaType: annotations.mediaType, digest: blob, size: annotations.size };
    const layer = { descriptor, diffId, chainId: chainIdOn(below, diffId) };
    chain.push({ layer, parent: below });
  }
  return stepsOf(records ?? [], chain);
}

/** Steps of records that stand in an image's config: their layers are those of the image. */
export function readInlineRecords(
  raw: unknown,
  layers: readonly { readonly descriptor: Descriptor; readonly diffId: Digest }[],
): ImportedSteps {
  const chain: { layer: BuiltLayer; parent: Digest | undefined }[] = [];
  for (const { descriptor, diffId } of layers) {
    const parent = chain.at(-1)?.layer.chainId;
    chain.push({ layer: { descriptor, diffId, chainId: chainIdOn(parent, diffId) }, parent });
  }
  return stepsOf(v.parse(RecordsSchema, raw), chain);
}

function stepsOf(
  records: v.InferOutput<typeof RecordsSchema>,
  chain: readonly { readonly layer: BuiltLayer; readonly parent: Digest | undefined }[],
): ImportedSteps {
  const steps = new Map<Digest, readonly ImportedStep[]>();
  for (const { digest: key, layers, inputs } of records) {
    if ((inputs ?? []).length > 0) continue;
    const found = (layers ?? []).flatMap(({ layer: index, createdAt }) => {
      const entry = chain[index];
      if (entry === undefined || createdAt === undefined) return [];
      const { layer, parent } = entry;
      // The layer is the step's own, or the one that it left as it was.
      return [
        { layer, parent, created: createdAt },
        { layer: undefined, parent: layer.chainId, created: createdAt },
      ];
    });
    steps.set(key, found);
  }
  return steps;
}
