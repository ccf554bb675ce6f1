/** Port: where the data of volumes is. The directory of a volume goes with its document. */

/** What is mounted over a volume's directory while containers use it. */
export interface VolumeMount {
  readonly type: 'tmpfs' | 'bind';
  /** Absolute path of what is bound; of no meaning for a tmpfs. */
  readonly device: string;
  /** Mount options as given, split at commas. */
  readonly options: readonly string[];
}

export interface VolumeFiles {
  /** Absolute path of the volume's data. */
  mountpoint(name: string): string;
  /** Makes the data directory (0755, owned by root). Idempotent. */
  make(name: string): Promise<void>;
  /** Bytes of all files, hard links counted once. */
  sizeBytes(name: string): Promise<number>;
  /** Mounts over the volume's directory. Idempotent. `internal` with Docker's text when the kernel refuses. */
  mount(name: string, wanted: VolumeMount): Promise<void>;
  /** Takes away what is mounted over the volume's directory. Idempotent. */
  unmount(name: string): Promise<void>;
  /**
   * Binds a path inside of `root` (the data of a volume, the files of an image) to a place of its own, so that nobody
   * who can write there can lead it out by a symlink later. `key` and `place` name the place, for `unpin`. Returns its
   * absolute path; `invalid-argument` when the path is missing or leaves the root.
   */
  pin(root: string, subpath: string, at: PinPlace): Promise<string>;
  /**
   * A path that shows what is at `source` in a form that the runtime's own mount cannot give it, pinned for `unpin`;
   * `source` itself when nothing is mounted below it, as the form is the same then. `invalid-argument` when the kernel
   * does not let what is mounted below be left away.
   */
  reform(source: string, form: MountForm, at: PinPlace): Promise<string>;
  /** Pins a namespace (a link such as `/proc/PID/ns/ipc`), which lives on there without a process. Returns where. */
  pinNamespace(path: string, at: PinPlace): Promise<string>;
  /** A tmpfs of `sizeBytes` (mode 1777) for several containers, pinned for `unpin`. Idempotent. Returns where. */
  sharedMemory(sizeBytes: number, at: PinPlace): Promise<string>;
  /** Takes away everything that was pinned under the key. Idempotent. */
  unpin(key: string): Promise<void>;
}

/**
 * What becomes of the mounts below a bound path: `sealed` makes them read-only together with it, `bare` leaves them
 * away.
 */
export type MountForm = 'sealed' | 'bare';

/** Where a pinned path is visible: one key for each container, one place for each of its mounts. */
export interface PinPlace {
  readonly key: string;
  readonly place: string;
}
