/** What registries have said of their limits, as `wherry doctor` asks the engine for it. */
import * as v from 'valibot';

/** Where the API tells it. */
export const REGISTRY_LIMITS_PATH = '/wherry/registries/limits';

export const registryLimitsSchema = v.array(
  v.object({
    domain: v.string(),
    /** For people: `76 of 100 pulls left in 6 hours`. */
    left: v.string(),
    /** In milliseconds since the epoch. */
    saidAtMs: v.number(),
  }),
);
