/** The files of containers on disk. */
import { mkdir, readdir, realpath, stat, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { systemCode } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import { mountAround } from '../../sys/mount/mount-table.ts';
import type { ContainerDataPaths } from '../../sys/paths.ts';
import type { ContainerFiles, MountFacts, NameFilePaths, NameFiles } from '../container-files.ts';
import { copyTree } from '../copy-tree/copy-tree.ts';

export class DiskContainerFiles implements ContainerFiles {
  readonly #pathsOf: (id: string) => ContainerDataPaths;

  /** `pathsOf` names the files of one container, as `sys/paths` lays them out. */
  constructor(pathsOf: (id: string) => ContainerDataPaths) {
    this.#pathsOf = pathsOf;
  }

  logPath(id: ContainerId): string {
    return this.#pathsOf(id).log;
  }

  jsonLogPath(id: ContainerId): string {
    return this.#pathsOf(id).jsonLog;
  }

  journalProgressPath(id: ContainerId): string {
    return this.#pathsOf(id).journalProgress;
  }

  nameFilePaths(id: ContainerId): NameFilePaths {
    const { hosts, hostname, resolvConf } = this.#pathsOf(id);
    return { hosts, hostname, resolvConf };
  }

  async writeNameFiles(id: ContainerId, files: NameFiles): Promise<NameFilePaths> {
    const paths = this.nameFilePaths(id);
    await mkdir(this.#pathsOf(id).dir, { recursive: true, mode: 0o700 });
    const options = { mode: 0o644 };
    await Promise.all([
      writeFile(paths.hosts, files.hosts, options),
      writeFile(paths.hostname, files.hostname, options),
      writeFile(paths.resolvConf, files.resolvConf, options),
    ]);
    return paths;
  }

  async kindOf(path: string): Promise<'missing' | 'directory' | 'other'> {
    try {
      return (await stat(path)).isDirectory() ? 'directory' : 'other';
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
      throw error;
    }
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true });
  }

  async mountOf(path: string): Promise<MountFacts> {
    const { mountPoint, propagation } = await mountAround(await realpath(path));
    const has = (kind: string) => propagation.some((field) => field.startsWith(`${kind}:`));
    if (has('shared')) return { mountPoint, propagation: 'shared' };
    return { mountPoint, propagation: has('master') ? 'slave' : 'private' };
  }

  async isEmptyDirectory(path: string): Promise<boolean> {
    return (await readdir(path)).length === 0;
  }

  async copyTree(root: string, from: string, to: string): Promise<void> {
    const source = await resolveInside(root, from);
    if (source === undefined || (await this.kindOf(source)) !== 'directory') return;
    await copyTree(source, to);
  }
}

/** The real path of `path` below `root`, or undefined when it is missing or a symlink leads out. */
async function resolveInside(root: string, path: string): Promise<string | undefined> {
  try {
    const base = await realpath(root);
    const target = await realpath(join(base, path));
    return target === base || target.startsWith(base + sep) ? target : undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}
