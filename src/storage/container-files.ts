/** Port: the files that the engine keeps for each container beside its document, and host paths it binds. */
import type { ContainerId } from '../shared/ids.ts';

/** Contents of the files that every container gets at a fixed place. */
export interface NameFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** Absolute host paths of those files. */
export interface NameFilePaths {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** A mount of the engine's mount namespace. */
export interface MountFacts {
  readonly mountPoint: string;
  /** Events of mounts reach it from another one (slave), or go both ways (shared). */
  readonly propagation: 'private' | 'slave' | 'shared';
}

export interface ContainerFiles {
  /** What the monitor writes. */
  logPath(id: ContainerId): string;
  /** Docker's own file, for people and programs. */
  jsonLogPath(id: ContainerId): string;
  /** Where it is recorded how much of the log the machine's journal has. */
  journalProgressPath(id: ContainerId): string;
  nameFilePaths(id: ContainerId): NameFilePaths;
  /** Makes the container's directory when needed, then writes the files in place (bind mounts stay valid). */
  writeNameFiles(id: ContainerId, files: NameFiles): Promise<NameFilePaths>;
  /** What is at a host path. Symlinks are followed. */
  kindOf(path: string): Promise<'missing' | 'directory' | 'other'>;
  /** Like `mkdir -p`. */
  makeDirectory(path: string): Promise<void>;
  /** The mount that `path` lies on, and what it hears of and tells to others. */
  mountOf(path: string): Promise<MountFacts>;
  /** True for a directory without entries. */
  isEmptyDirectory(path: string): Promise<boolean>;
  /**
   * Copies the contents of a directory with owners, modes, times, links and xattrs.
   * `from` is resolved inside `root`: symlinks never lead out of it. A missing `from` copies nothing.
   */
  copyTree(root: string, from: string, to: string): Promise<void>;
}
