/** Port: where the data of volumes is. The directory of a volume goes with its document. */

export interface VolumeFiles {
  /** Absolute path of the volume's data. */
  mountpoint(name: string): string;
  /** Makes the data directory (0755, owned by root). Idempotent. */
  make(name: string): Promise<void>;
  /** Bytes of all files, hard links counted once. */
  sizeBytes(name: string): Promise<number>;
}
