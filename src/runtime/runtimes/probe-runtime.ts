/**
 * Proving a runtime by running a container that does nothing, in a bundle made for the purpose. Version texts say
 * little: crun needs other options on hybrid control groups, distributions patch, users add wrappers.
 */
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command, Completed } from '../../sys/exec/command.ts';
import { watchExit } from '../../sys/exec/exit-watch.ts';
import { run } from '../../sys/exec/run.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { ContainerGroups } from '../limits/container-groups.ts';
import { notInItsGroup, probeFailed } from '../runtime-errors.ts';
import { plainMessage } from './parse-failure.ts';
import { probeProgram } from './probe-program.ts';
import { type FifoDialogue, releaseInit, START_FIFO } from './start-fifo.ts';
import type { RuntimeFacts } from './usable-runtime.ts';

const STEP_TIMEOUT_MS = 10_000;
const PROBE_ID = 'wherry-probe';

/** Options to try, and whether the container is to be put into a control group that we made. */
interface Candidate {
  readonly args: readonly string[];
  readonly joinsGroups: boolean;
}

/**
 * Options tried in order; those of crun first, which other runtimes refuse at once. Limits are not set through the
 * runtime: it only has to put the container into its group. Where there are no groups, none at all is cheapest.
 */
const CANDIDATES: readonly Candidate[] = [
  { args: ['--cgroup-manager=cgroupfs'], joinsGroups: true },
  { args: [], joinsGroups: true },
  { args: ['--cgroup-manager=disabled'], joinsGroups: false },
  { args: [], joinsGroups: false },
];

/** A probe's question: which program, with which configured arguments, and where there is room. */
export interface ProbeRequest {
  readonly path: string;
  readonly args: readonly string[];
  /** Directory for bundle and state; everything made there is removed again. */
  readonly workDir: string;
  /** The control groups that containers will have; undefined when they have none. */
  readonly groups: ProbeGroups | undefined;
}

/** A control group for the probe, which can be made again and again. */
type ProbeGroups = Pick<ContainerGroups, 'pathOf' | 'make' | 'remove'>;

/** Finds options with which the program runs a container. `unavailable` with its own message when none do. */
export async function probeRuntime(request: ProbeRequest): Promise<RuntimeFacts> {
  const program = probeProgram(process.arch);
  // Without a program for this architecture nothing can be run: plain options and plain verbs are the safe choice.
  if (program === undefined) {
    const unproved = { startBy: 'command', makesCgroups: true, joinsGroups: false } as const;
    return { path: request.path, args: request.args, ...unproved };
  }
  let last: unknown;
  for (const candidate of CANDIDATES) {
    if (candidate.joinsGroups && request.groups === undefined) continue;
    try {
      return await tryCandidate(request, candidate, program);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

async function tryCandidate(
  request: ProbeRequest,
  candidate: Candidate,
  program: Buffer,
): Promise<RuntimeFacts> {
  const groups = candidate.joinsGroups ? request.groups : undefined;
  const dir = await mkdtemp(join(request.workDir, 'probe-'));
  const groupPath = groups?.pathOf(basename(dir));
  try {
    if (groupPath !== undefined) await groups?.make(groupPath, {});
    await writeBundle(dir, program, groupPath);
    const args = [...request.args, ...candidate.args];
    return await new RuntimeProbe({ path: request.path, args, dir, groupPath }).run();
  } finally {
    if (groupPath !== undefined) await groups?.remove(groupPath);
    await rm(dir, { recursive: true, force: true });
  }
}

async function writeBundle(
  dir: string,
  program: Buffer,
  groupPath: string | undefined,
): Promise<void> {
  const rootfs = join(dir, 'rootfs');
  for (const name of ['dev', 'proc']) await mkdir(join(rootfs, name), { recursive: true });
  await writeFile(join(rootfs, 'probe'), program, { mode: 0o755 });
  const config = {
    ociVersion: '1.0.2',
    process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['/probe'], env: [], cwd: '/' },
    root: { path: rootfs },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
      ...(groupPath === undefined ? {} : { cgroupsPath: groupPath }),
    },
  };
  await writeFile(join(dir, 'config.json'), JSON.stringify(config));
}

class RuntimeProbe {
  readonly #path: string;
  readonly #args: readonly string[];
  readonly #dir: string;
  readonly #groupPath: string | undefined;

  constructor(place: {
    readonly path: string;
    readonly args: readonly string[];
    readonly dir: string;
    readonly groupPath: string | undefined;
  }) {
    this.#path = place.path;
    this.#args = place.args;
    this.#dir = place.dir;
    this.#groupPath = place.groupPath;
  }

  async run(): Promise<RuntimeFacts> {
    const pid = await this.#create();
    try {
      const joinsGroups = this.#groupPath !== undefined;
      if (this.#groupPath !== undefined && !(await isInGroup(pid, this.#groupPath)))
        throw notInItsGroup();
      const makesCgroups = !joinsGroups && (await isInOwnCgroup(pid));
      const dialogue = await this.#dialogue(pid);
      const startBy = await this.#start(pid, dialogue);
      return { path: this.#path, args: this.#args, startBy, makesCgroups, joinsGroups };
    } finally {
      await this.#call(['delete', '--force', PROBE_ID]);
    }
  }

  async #create(): Promise<number> {
    const pidFile = join(this.#dir, 'pid');
    // The log is a file: the waiting init process keeps the descriptors of `create` open.
    const verb = ['create', '--bundle', this.#dir, '--pid-file', pidFile, PROBE_ID];
    const created = await this.#call(verb);
    if (created.exitCode !== 0) throw probeFailed(await this.#reason(created));
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    if (pid > 0) return pid;
    throw probeFailed('it does not behave like an OCI runtime (no pid file)');
  }

  /** Which end of the fifo the init process holds; undefined when there is no such fifo. */
  async #dialogue(pid: number): Promise<FifoDialogue | undefined> {
    const dir = `/proc/${pid}/fd`;
    for (const name of await readdir(dir)) {
      const target = await readlink(join(dir, name)).catch(() => '');
      if (!target.endsWith(`/${START_FIFO}`)) continue;
      return (await isPathOnly(pid, name)) ? 'read' : 'write';
    }
    return undefined;
  }

  /** Starts the container by its fifo when that works, by the verb otherwise. */
  async #start(pid: number, dialogue: FifoDialogue | undefined): Promise<FifoDialogue | 'command'> {
    const end = watchExit(pid);
    try {
      if (dialogue !== undefined) {
        await releaseInit(join(this.#dir, 'state', PROBE_ID, START_FIFO), dialogue);
        if (await endsInTime(end.ended)) return dialogue;
      }
      const started = await this.#call(['start', PROBE_ID]);
      if (started.exitCode !== 0) throw probeFailed(await this.#reason(started));
      if (await endsInTime(end.ended)) return 'command';
      throw probeFailed('a container that only exits did not exit');
    } finally {
      end.close();
    }
  }

  #call(verb: readonly string[]): Promise<Completed> {
    const log = [`--log=${this.#log}`, '--log-format=json'];
    const args = [`--root=${join(this.#dir, 'state')}`, ...log, ...this.#args, ...verb];
    const command: Command = { file: this.#path, args };
    return run(command, { timeoutMs: STEP_TIMEOUT_MS });
  }

  get #log(): string {
    return join(this.#dir, 'log');
  }

  async #reason(completed: Completed): Promise<string> {
    const log = await readFile(this.#log, 'utf8').catch(() => '');
    return plainMessage(log === '' ? completed.stderr : log);
  }
}

/** runc holds the fifo by path only (`O_PATH`, open(2)) until it opens it for writing; crun has it open to read. */
async function isPathOnly(pid: number, fd: string): Promise<boolean> {
  const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
  const flags = Number.parseInt(/^flags:\s+([0-7]+)$/m.exec(info)?.[1] ?? '0', 8);
  return (flags & O_PATH) !== 0;
}

const O_PATH = 0o10000000;

/** Seen from outside of a control group namespace, the path may have more in front. */
async function isInGroup(pid: number, path: string): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  return /^0::(.*)$/m.exec(text)?.[1]?.endsWith(path) === true;
}

async function isInOwnCgroup(pid: number): Promise<boolean> {
  try {
    const [theirs, ours] = await Promise.all(
      [`/proc/${pid}/cgroup`, '/proc/self/cgroup'].map((path) => readFile(path, 'utf8')),
    );
    return theirs !== ours;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function endsInTime(ended: Promise<unknown>): Promise<boolean> {
  const deadline = AbortSignal.timeout(STEP_TIMEOUT_MS / 5);
  const late = new Promise<false>((resolve) => {
    deadline.addEventListener('abort', () => resolve(false), { once: true });
  });
  return await Promise.race([ended.then(() => true), late]);
}
