/**
 * Port: the files of a container as one tree, with its volumes and binds where the container has them, running or
 * not. Paths are the container's own; links are followed inside of the tree only, also while a running container
 * changes it. Owners are ids inside the container.
 */
import type { KeptId } from '../oci/kept-id.ts';
import type { LayerOwners } from './layer-owners.ts';

/** Something mounted into the tree. A `source` that is not there is left out. */
export interface TreeMount {
  /** Absolute host path of a file or directory. */
  readonly source: string;
  /** Absolute path in the container. */
  readonly destination: string;
  readonly readOnly: boolean;
}

/** What is at a path, links not followed at its end. */
export interface PathStat {
  readonly name: string;
  readonly sizeBytes: number;
  /** `st_mode`: type and permission bits of the kernel. */
  readonly mode: number;
  /** RFC 3339 with nanoseconds. */
  readonly modifiedAt: string;
  /** For a symbolic link the path it leads to in the end, as far as that can be told; empty otherwise. */
  readonly linkTarget: string;
}

/** How the entries of an archive are named. */
export interface ArchiveNaming {
  /** What the topmost entry is called; `/` for the root. Undefined: entries below the directory, relative to it. */
  readonly top: string | undefined;
}

export interface ExtractOptions {
  /** Refuse to replace a directory by something else, or the other way round. */
  readonly keepKinds: boolean;
  /** Gives everything this owner instead of the archive's. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * An open tree. Missing paths reject with `details.code` `ENOENT`, a file among the directories of a path with
 * `ENOTDIR`. Not to be used after `close`.
 */
export interface FileTree {
  stat(path: string): Promise<PathStat>;
  /** The mount that the directory `path` is in; undefined for the root file system. Links are followed. */
  mountAt(path: string): Promise<TreeMount | undefined>;
  /** True when `path`, links followed, is a directory. */
  isDirectory(path: string): Promise<boolean>;
  /** Contents of a small text file, links followed; empty when there is none. */
  readText(path: string): Promise<string>;
  /** A tar stream of a file or of a directory with all that is below; sockets are left out. */
  archive(path: string, naming: ArchiveNaming): AsyncIterable<Uint8Array>;
  /**
   * Unpacks a tar archive, plain or compressed (gzip, bzip2, xz, zstd), into a directory. Entries replace what has their name; directories are
   * merged. `forbidden` for a read-only mount, `invalid-argument` for names outside of the directory and for what
   * `keepKinds` refuses. Devices are left out.
   */
  extract(path: string, archive: AsyncIterable<Uint8Array>, options: ExtractOptions): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** What is to be known of the owners of a tree's files. */
export interface TreeOwners {
  /** Those of the container's own user namespace, where it has one. */
  readonly keptIds: KeptId | undefined;
  /** Owners that files of the image should have and cannot: archives have them all the same. */
  readonly ofImage: LayerOwners;
}

export interface FileTrees {
  /**
   * Opens a tree. Missing mount points are made in the root file system, as starting the container would do. The
   * caller keeps the root file system mounted until the tree is open, and closes the tree.
   */
  open(rootfsDir: string, mounts: readonly TreeMount[], owners: TreeOwners): Promise<FileTree>;
}
