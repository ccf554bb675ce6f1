/** Port: what was written in an active snapshot, compared with the layers that it stands on. */

/** One path that differs. A directory of which only the contents differ is `modified` too. */
export interface PathChange {
  readonly kind: 'modified' | 'added' | 'deleted';
  /** Absolute path in the snapshot. */
  readonly path: string;
}

/** The snapshot must stay until a stream has ended or was left. It may be written to meanwhile: then the result is vague. */
export interface SnapshotDiff {
  /** A directory comes before what is in it; names are in order. */
  changes(): AsyncIterable<PathChange>;
  /** The same as a layer: a tar stream that is not compressed, whiteouts in the form of the OCI. Sockets are left out. */
  layerTar(): AsyncIterable<Uint8Array>;
}
