/** The runtimes a container can name, each proved by a probe before its first use. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../shared/errors.ts';
import { findExecutable } from '../../sys/exec/find-executable.ts';
import type { ContainerGroups } from '../limits/container-groups.ts';
import { runtimeUnusable, unknownRuntime } from '../runtime-errors.ts';
import { pinProgram } from './pin-program.ts';
import { probeRuntime } from './probe-runtime.ts';
import { type RuntimeEntry, type RuntimeFacts, UsableRuntime } from './usable-runtime.ts';

/** The runtimes that need no configuration, in order of preference. */
export const DEFAULT_RUNTIMES: Readonly<Record<string, RuntimeEntry>> = {
  crun: { path: 'crun', args: [] },
  runc: { path: 'runc', args: [] },
};

const RUNTIME_NAME = /^[a-zA-Z0-9][\w.-]*$/;

/** What the table is made of. */
export interface RuntimeTableOptions {
  readonly entries: Readonly<Record<string, RuntimeEntry>>;
  /** Colon-separated directories. */
  readonly searchPath: string;
  /** Where runtimes keep their state: one directory for each name. Dies at reboot. */
  readonly stateRoot: string;
  /** The control groups of containers; absent when they have none. */
  readonly groups?: ContainerGroups;
}

/** A probe's answer on disk, valid for as long as the program's file and its arguments do not change. */
const remembered = v.object({
  v: v.literal(1),
  fingerprint: v.string(),
  facts: v.object({
    path: v.string(),
    args: v.array(v.string()),
    startBy: v.picklist(['write', 'read', 'command']),
    makesCgroups: v.boolean(),
    joinsGroups: v.boolean(),
  }),
});

export class RuntimeTable {
  readonly #options: RuntimeTableOptions;
  readonly #entries: ReadonlyMap<string, RuntimeEntry>;
  readonly #usable = new Map<string, Promise<UsableRuntime>>();

  constructor(options: RuntimeTableOptions) {
    this.#options = options;
    // A name becomes a directory's.
    const named = Object.entries(options.entries).filter(([name]) => RUNTIME_NAME.test(name));
    this.#entries = new Map(named);
  }

  /** Names that a container may ask for, in order of preference. */
  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * The runtime of that name, probed once. `invalid-argument` for a name that is not in the table, `unavailable`
   * when the program is missing or runs no containers here (asking again probes again).
   */
  resolve(name: string): Promise<UsableRuntime> {
    const known = this.#usable.get(name);
    if (known !== undefined) return known;
    const entry = this.#entries.get(name);
    if (entry === undefined) return Promise.reject(unknownRuntime(name));
    const usable = this.#prove(name, entry);
    this.#usable.set(name, usable);
    usable.catch(() => this.#usable.delete(name));
    return usable;
  }

  /** The first runtime of the table that works; `unavailable` with every reason when none does. */
  async firstUsable(): Promise<UsableRuntime> {
    const reasons: string[] = [];
    for (const name of this.names()) {
      try {
        return await this.resolve(name);
      } catch (error) {
        reasons.push(messageOf(error));
      }
    }
    throw runtimeUnusable(this.names().join(', '), reasons.join('; '));
  }

  async #prove(name: string, entry: RuntimeEntry): Promise<UsableRuntime> {
    const { groups } = this.#options;
    const path = await findExecutable(entry.path, this.#options.searchPath);
    if (path === undefined) throw runtimeUnusable(name, `${entry.path} is not installed`);
    const stateDir = join(this.#options.stateRoot, name);
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const fingerprint = await fingerprintOf(path, [...entry.args, groups?.pathOf('') ?? '']);
    const cachePath = join(this.#options.stateRoot, `${name}.json`);
    const facts =
      (await recall(cachePath, fingerprint)) ??
      (await this.#probe({ name, path, entry, cachePath, fingerprint }));
    const pinned = await pinProgram(path, join(this.#options.stateRoot, `${name}.program`));
    return new UsableRuntime(name, facts, {
      stateDir,
      ...(pinned === undefined ? {} : { pinned }),
    });
  }

  async #probe(subject: {
    readonly name: string;
    readonly path: string;
    readonly entry: RuntimeEntry;
    readonly cachePath: string;
    readonly fingerprint: string;
  }): Promise<RuntimeFacts> {
    const { name, path, entry, cachePath, fingerprint } = subject;
    try {
      const { stateRoot: workDir, groups } = this.#options;
      const facts = await probeRuntime({ path, args: entry.args, workDir, groups });
      await writeFile(cachePath, JSON.stringify({ v: 1, fingerprint, facts }), { mode: 0o600 });
      return facts;
    } catch (error) {
      throw runtimeUnusable(name, messageOf(error));
    }
  }
}

/** What an answer depends on: the program's file, its arguments, and where containers' groups are. */
async function fingerprintOf(path: string, args: readonly string[]): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  return JSON.stringify([path, size, mtimeMs, ino, args]);
}

/** A half-written or foreign file is no answer: the probe runs again. */
async function recall(path: string, fingerprint: string): Promise<RuntimeFacts | undefined> {
  try {
    const parsed = v.safeParse(remembered, JSON.parse(await readFile(path, 'utf8')));
    return parsed.success && parsed.output.fingerprint === fingerprint
      ? parsed.output.facts
      : undefined;
  } catch {
    return undefined;
  }
}
