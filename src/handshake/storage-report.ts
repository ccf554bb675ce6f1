/** What a check of the storage tells: one line for each finding, and a summary as the last one. */
import * as v from 'valibot';

/** Where the API offers the check; `repair` and `deep` are its parameters. */
export const STORAGE_CHECK_PATH = '/wherry/storage/check';

const findingSchema = v.object({
  /** What kind of thing is wrong. `garbage`: nothing needs it. */
  kind: v.picklist(['blob', 'image', 'layer', 'index', 'container', 'garbage']),
  /** Digest, chainID, id or path of the thing. */
  subject: v.string(),
  /** Names of the images that have it. */
  images: v.array(v.string()),
  /** What is wrong, as the end of a sentence about the subject. */
  problem: v.string(),
  /** `found`: nothing was to be done about it. */
  outcome: v.picklist(['repaired', 'not-repaired', 'found']),
  /** What to do about what was not repaired. */
  cure: v.optional(v.string()),
});

const summarySchema = v.object({
  images: v.number(),
  blobs: v.number(),
  layers: v.number(),
  findings: v.number(),
  /** Findings that are still there. */
  left: v.number(),
});

export const storageLineSchema = v.union([
  v.object({ finding: findingSchema }),
  v.object({ summary: summarySchema }),
]);

export type StorageFinding = v.InferOutput<typeof findingSchema>;
export type StorageSummary = v.InferOutput<typeof summarySchema>;
export type StorageLine = v.InferOutput<typeof storageLineSchema>;
