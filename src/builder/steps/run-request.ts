/** One command of a RUN, ready to be executed. */
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { RunSettings } from '../solver.ts';

export interface RunRequest {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Absolute. */
  readonly workingDir: string;
  /** As in USER; empty for root. */
  readonly user: string;
  readonly mounts: readonly SpecMount[];
  /** `default`, `none`, `host` or a network's name. */
  readonly networkMode: string;
  readonly isInsecure: boolean;
  readonly settings: RunSettings;
}
