/** What is stored of a volume. */
import type { ContainerId } from '../../shared/ids.ts';

export interface VolumeDocument {
  readonly v: 1;
  readonly name: string;
  readonly driver: 'local';
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** Made for one container without a name being asked for. */
  readonly anonymous: boolean;
  /** The container that is being created with it: without that container the volume goes. Absent once it is there. */
  readonly madeFor?: ContainerId;
}
