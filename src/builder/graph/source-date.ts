/** SOURCE_DATE_EPOCH: one time for everything that a build makes. */

import type { ImageConfig } from '../../oci/image-spec.ts';
import { toIsoNano } from '../../shared/clock.ts';

/** The config with that time for itself and for the entries of the history that are not the base image's. */
export function withEpoch(
  config: ImageConfig,
  { epoch, baseHistory }: { readonly epoch: number | undefined; readonly baseHistory: number },
): ImageConfig {
  if (epoch === undefined) return config;
  const created = toIsoNano(epoch * 1000);
  return {
    ...config,
    created,
    history: (config.history ?? []).map((entry, index) =>
      index < baseHistory ? entry : { ...entry, created },
    ),
  };
}
