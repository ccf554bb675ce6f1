/** What is stored of a volume. */

export interface VolumeDocument {
  readonly v: 1;
  readonly name: string;
  readonly driver: 'local';
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** Made for one container without a name being asked for. */
  readonly anonymous: boolean;
}
