/** The files of all tasks: making room for one, taking it away, listing them. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { RuntimeSpec } from '../../oci/runtime-spec.ts';
import { type ContainerId, parseContainerId } from '../../shared/ids.ts';
import { run } from '../../sys/exec/run.ts';
import { namesIn } from '../../sys/fs/names-in.ts';
import type { RuntimePaths } from '../../sys/paths.ts';
import { readVisible } from '../../sys/proc/process-table.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import { encodeSpec } from '../bundle/encode-spec.ts';
import type { ContainerGroups } from '../limits/container-groups.ts';
import type { RuntimeTable } from '../runtimes/runtime-table.ts';
import { type TaskFiles, taskFiles } from './task-files.ts';

const DELETE_TIMEOUT_MS = 30_000;

/** As much of a `config.json` as tells the group. */
const specWithGroup = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ linux: v.object({ cgroupsPath: v.optional(v.string()) }) }),
);

export class TaskStore {
  readonly #paths: RuntimePaths;
  readonly #runtimes: RuntimeTable;
  readonly #groups: ContainerGroups | undefined;

  constructor(paths: RuntimePaths, runtimes: RuntimeTable, groups: ContainerGroups | undefined) {
    this.#paths = paths;
    this.#runtimes = runtimes;
    this.#groups = groups;
  }

  /** Paths only. */
  files(id: string): TaskFiles {
    return taskFiles(this.#paths, id);
  }

  /** A directory that fits short socket names. */
  get temporaryDir(): string {
    return this.#paths.root;
  }

  /** Makes the bundle of a task; what an earlier run of the same id left is removed first. */
  async prepare(id: ContainerId, spec: RuntimeSpec): Promise<TaskFiles> {
    const files = this.files(id);
    try {
      await this.#makeDirs(files);
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
      await this.remove(id, undefined);
      await this.#makeDirs(files);
    }
    await Promise.all([
      writeFile(files.config, encodeSpec(spec), { mode: 0o600 }),
      rm(files.exitFile, { force: true }),
    ]);
    return files;
  }

  /**
   * Removes everything of an ended task. Idempotent. A runtime that made a control group of its own accord is asked
   * to delete the container; otherwise its state directory and the group that we made are all there is, and removing
   * these is what its `delete` would do.
   */
  async remove(id: ContainerId, runtimeName: string | undefined): Promise<void> {
    const files = this.files(id);
    if (runtimeName !== undefined) await this.#deleteCgroup(id, runtimeName);
    const group = await this.groupOf(id);
    if (group !== undefined) await this.#groups?.remove(group);
    // Also of a runtime that has left the configuration, and of any when nothing says which it was.
    const names = new Set([
      ...this.#runtimes.names(),
      ...(runtimeName === undefined ? [] : [runtimeName]),
    ]);
    const stateDirs = [...names].map((name) =>
      rm(join(this.#paths.runtimesDir, name, id), { recursive: true, force: true }),
    );
    await Promise.all([...stateDirs, rm(files.exitFile, { force: true })]);
    // Last: as long as it is there, a crash in between leaves a task that recovery finds.
    await rm(files.dir, { recursive: true, force: true });
  }

  /** The control group that the task was told to be in; undefined for a task without one. */
  async groupOf(id: string): Promise<string | undefined> {
    if (this.#groups === undefined) return undefined;
    const text = await readVisible(this.files(id).config);
    // Half a configuration is what a crash left before it made the group.
    const parsed = v.safeParse(specWithGroup, text);
    return parsed.success ? parsed.output.linux.cgroupsPath : undefined;
  }

  /** Ids with a task directory, an exit file or both. */
  async list(): Promise<readonly ContainerId[]> {
    const names = await Promise.all([this.#paths.containersDir, this.#paths.exitsDir].map(namesIn));
    const ids = names.flat().flatMap((name) => parseContainerId(name) ?? []);
    return [...new Set(ids)];
  }

  async #deleteCgroup(id: ContainerId, runtimeName: string): Promise<void> {
    const runtime = await this.#runtimes.resolve(runtimeName).catch(() => undefined);
    if (runtime?.facts.makesCgroups !== true) return;
    // Whether it knew the container or not, nothing of it is left afterwards that we could act on.
    await run(runtime.command('delete', '--force', id), { timeoutMs: DELETE_TIMEOUT_MS });
  }

  async #makeDirs(files: TaskFiles): Promise<void> {
    try {
      await mkdir(files.dir, { mode: 0o700 });
    } catch (error) {
      if (!isMissing(error)) throw error;
      await mkdir(this.#paths.containersDir, { recursive: true, mode: 0o700 });
      await mkdir(this.#paths.exitsDir, { recursive: true, mode: 0o700 });
      await mkdir(files.dir, { mode: 0o700 });
    }
    await mkdir(files.bundleDir, { mode: 0o700 });
  }
}
