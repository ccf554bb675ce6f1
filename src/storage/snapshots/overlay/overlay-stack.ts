/** What is stacked, and where its parts are. */
import type { KeptId } from '../../../oci/kept-id.ts';

/** A root file system to be mounted. */
export interface OverlayStack {
  readonly target: string;
  /** Relative to the directory of layers, topmost first. */
  readonly lower: readonly string[];
  /** Relative to the directory of active snapshots. */
  readonly upper: string;
  readonly work: string;
  /** The ids that its container keeps. */
  readonly kept: KeptId | undefined;
}

/** Names of the directories of layers and active snapshots, below the driver's own. */
export const LAYERS = 'layers';
export const ACTIVE = 'active';
