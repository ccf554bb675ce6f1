/** Files that instructions read: of the client, of other stages, of images. */
import type { Digest } from '../../oci/digest.ts';
import type { PathPatterns } from '../patterns/path-patterns.ts';

/** A tree as it is on disk while a build uses it. */
export interface OpenTree {
  /** Absolute path. */
  readonly dir: string;
}

export interface SourceTree {
  /** What it is called in messages. */
  readonly name: string;
  /** Stands for everything in it; undefined where only the files themselves tell. */
  readonly identity: Digest | undefined;
  readonly keepsOwners: boolean;
  /** Paths that are not there for instructions. */
  readonly ignored: PathPatterns;
  /** Brings it to disk, once; it stays until the build ends. */
  open(): Promise<OpenTree>;
}
