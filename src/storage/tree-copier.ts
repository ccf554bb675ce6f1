/** Port: copying chosen files into a root file system. */
import type { FileOwner } from './layer-owners.ts';

/** One file, directory or link to be copied. A directory comes without what is in it. */
export interface CopyEntry {
  /** Absolute path of what is copied; not followed when it is a link. */
  readonly from: string;
  /** Absolute path in the target; links among its directories are followed inside of the target. */
  readonly to: string;
}

export interface CopyOptions {
  /** Undefined: as the originals. */
  readonly owner: FileOwner | undefined;
  /** The new permission bits of something that has `mode` now (permissions alone); undefined: as the originals. */
  modeOf?(mode: number, isDirectory: boolean): number;
  /** Seconds since 1970 for all; undefined: as the originals. */
  readonly mtimeSeconds: number | undefined;
}

export interface TreeCopier {
  /**
   * Copies the entries in order. Missing parent directories are made (0755, the owner's). What is there already is replaced, except
   * that directories are merged and a link to a directory stands for it. Files share blocks where the file system can.
   * `unavailable` when the disk is full.
   */
  copy(rootfsDir: string, entries: readonly CopyEntry[], options: CopyOptions): Promise<void>;
  /** Whether `path`, links followed inside of the root file system, is a directory there. */
  isDirectory(rootfsDir: string, path: string): boolean;
  /** Like `mkdir -p` inside of a root file system; directories that are made get the owner. True when something was made. */
  makeDirectory(rootfsDir: string, path: string, owner: FileOwner): boolean;
}
