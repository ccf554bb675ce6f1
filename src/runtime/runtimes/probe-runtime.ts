/**
 * Proving a runtime by running a container that does nothing, in a bundle made for the purpose. Version texts say
 * little: crun needs other options on hybrid control groups, distributions patch, users add wrappers.
 */
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command, Completed } from '../../sys/exec/command.ts';
import { watchExit } from '../../sys/exec/exit-watch.ts';
import { run } from '../../sys/exec/run.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { probeFailed } from '../runtime-errors.ts';
import { plainMessage } from './parse-failure.ts';
import { probeProgram } from './probe-program.ts';
import { type FifoDialogue, releaseInit, START_FIFO } from './start-fifo.ts';
import type { RuntimeFacts } from './usable-runtime.ts';

const STEP_TIMEOUT_MS = 10_000;
const PROBE_ID = 'wherry-probe';

/**
 * Options tried in order. Limits are not set through the runtime, so the first is the cheapest: no control groups
 * (an option of crun). A runtime that does not know the option refuses at once.
 */
const CANDIDATES: readonly (readonly string[])[] = [['--cgroup-manager=disabled'], []];

/** A probe's question: which program, with which configured arguments, and where there is room. */
export interface ProbeRequest {
  readonly path: string;
  readonly args: readonly string[];
  /** Directory for bundle and state; everything made there is removed again. */
  readonly workDir: string;
}

/** Finds options with which the program runs a container. `unavailable` with its own message when none do. */
export async function probeRuntime(request: ProbeRequest): Promise<RuntimeFacts> {
  const program = probeProgram(process.arch);
  // Without a program for this architecture nothing can be run: plain options and plain verbs are the safe choice.
  if (program === undefined) {
    return { path: request.path, args: request.args, startBy: 'command', makesCgroups: true };
  }
  let last: unknown;
  for (const candidate of CANDIDATES) {
    const dir = await mkdtemp(join(request.workDir, 'probe-'));
    try {
      await writeBundle(dir, program);
      const args = [...request.args, ...candidate];
      return await new RuntimeProbe({ path: request.path, args, dir }).run();
    } catch (error) {
      last = error;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
  throw last;
}

async function writeBundle(dir: string, program: Buffer): Promise<void> {
  const rootfs = join(dir, 'rootfs');
  for (const name of ['dev', 'proc']) await mkdir(join(rootfs, name), { recursive: true });
  await writeFile(join(rootfs, 'probe'), program, { mode: 0o755 });
  const config = {
    ociVersion: '1.0.2',
    process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['/probe'], env: [], cwd: '/' },
    root: { path: rootfs },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })) },
  };
  await writeFile(join(dir, 'config.json'), JSON.stringify(config));
}

class RuntimeProbe {
  readonly #path: string;
  readonly #args: readonly string[];
  readonly #dir: string;

  constructor(place: { path: string; args: readonly string[]; dir: string }) {
    this.#path = place.path;
    this.#args = place.args;
    this.#dir = place.dir;
  }

  async run(): Promise<RuntimeFacts> {
    const pid = await this.#create();
    try {
      const makesCgroups = await isInOwnCgroup(pid);
      const dialogue = await this.#dialogue(pid);
      const startBy = await this.#start(pid, dialogue);
      return { path: this.#path, args: this.#args, startBy, makesCgroups };
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
