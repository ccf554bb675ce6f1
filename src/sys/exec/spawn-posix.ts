/**
 * Processes through posix_spawn(3), which shares the address space until the program is executed: about a
 * millisecond, where node's own spawn copies the page tables of a large process and blocks for five.
 */
import { closeSync, constants } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { invariant } from '../../shared/errors.ts';
import { duplicateFd, pipe } from '../libc.ts';
import {
  backgroundFunction,
  hasNativeFunction,
  type NativeArgument,
  nativeFunction,
} from '../native.ts';
import { errnoCode, systemError } from '../system-errors.ts';
import type { Command, ProcessExit, SpawnOptions, StdioSlot } from './command.ts';
import { cannotExecute } from './exec-errors.ts';
import { watchExit } from './exit-watch.ts';
import { type Program, resolveProgram } from './resolve-program.ts';
import type { ChildProcessHandle } from './spawn.ts';

const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
/** Larger than the opaque structures of any C library (glibc: 80, 336 and 128 bytes). */
const OPAQUE_BYTES = 512;

const SPAWN =
  'int posix_spawn(int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **env)';
const cSpawn = nativeFunction(SPAWN);
const cSpawnInBackground = backgroundFunction(SPAWN);
const cActionsInit = nativeFunction('int posix_spawn_file_actions_init(void *actions)');
const cActionsDestroy = nativeFunction('int posix_spawn_file_actions_destroy(void *actions)');
const cAddDup2 = nativeFunction(
  'int posix_spawn_file_actions_adddup2(void *actions, int fd, int new_fd)',
);
const cAddOpen = nativeFunction(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, unsigned int mode)',
);
const cAddChdir = nativeFunction(
  'int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)',
);
const cAddCloseFrom = nativeFunction(
  'int posix_spawn_file_actions_addclosefrom_np(void *actions, int from)',
);
const cAttributesInit = nativeFunction('int posix_spawnattr_init(void *attributes)');
const cAttributesDestroy = nativeFunction('int posix_spawnattr_destroy(void *attributes)');
const cSetFlags = nativeFunction('int posix_spawnattr_setflags(void *attributes, short flags)');
const cSetSigDefault = nativeFunction(
  'int posix_spawnattr_setsigdefault(void *attributes, void *set)',
);
const cSetSigMask = nativeFunction('int posix_spawnattr_setsigmask(void *attributes, void *set)');

/** `spawnProcess` by posix_spawn(3). */
export function spawnPosix(command: Command, options: SpawnOptions): ChildProcessHandle {
  const plumbing = new Plumbing(options.stdio);
  try {
    using call = new SpawnCall(command, plumbing, options.detached === true);
    return new PosixProcess(call.make(), plumbing.openOurs());
  } catch (error) {
    plumbing.abandon();
    throw error;
  } finally {
    plumbing.closeTheirs();
  }
}

/** The same by a thread of node's pool, whose namespaces the process takes over. */
export async function spawnPosixInBackground(
  command: Command,
  options: SpawnOptions,
): Promise<ChildProcessHandle> {
  const plumbing = new Plumbing(options.stdio);
  try {
    using call = new SpawnCall(command, plumbing, options.detached === true);
    return new PosixProcess(await call.makeInBackground(), plumbing.openOurs());
  } catch (error) {
    plumbing.abandon();
    throw error;
  } finally {
    plumbing.closeTheirs();
  }
}

class PosixProcess implements ChildProcessHandle {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  readonly unref: () => void;
  readonly #streams: ReadonlyMap<number, Socket>;
  #ended = false;

  constructor(pid: number, streams: ReadonlyMap<number, Socket>) {
    this.pid = pid;
    this.#streams = streams;
    const watch = watchExit(pid);
    this.unref = watch.unref;
    this.exited = watch.ended.then((exit) => {
      this.#ended = true;
      // Only another waiter in this process could have taken the status; there is none.
      return exit ?? { exitCode: 255, signal: null };
    });
  }

  readable(slot: number): Readable {
    return this.#stream(slot);
  }

  writable(slot: number): Writable {
    return this.#stream(slot);
  }

  kill(signal: NodeJS.Signals): boolean {
    if (this.#ended) return false;
    try {
      return process.kill(this.pid, signal);
    } catch (error) {
      if (errnoCode(error) === 'ESRCH') return false;
      throw error;
    }
  }

  #stream(slot: number): Socket {
    const stream = this.#streams.get(slot);
    invariant(stream !== undefined, `descriptor ${slot} is not a pipe`);
    return stream;
  }
}

/** The pipes of one process and which descriptor goes where. */
class Plumbing {
  /** Descriptor of ours for each slot of theirs; undefined for `/dev/null`. */
  readonly sources: readonly (number | undefined)[];
  readonly #ours = new Map<number, { fd: number; direction: 'in' | 'out' }>();
  readonly #theirs: number[] = [];

  constructor(stdio: readonly StdioSlot[]) {
    try {
      this.sources = stdio.map((slot, index) => this.#connect(slot, index, stdio.length));
    } catch (error) {
      this.closeTheirs();
      this.abandon();
      throw error;
    }
  }

  /** Our copies of what the process now holds. */
  closeTheirs(): void {
    for (const fd of this.#theirs.splice(0)) closeSync(fd);
  }

  /** Our ends, when no process came to be. */
  abandon(): void {
    for (const { fd } of this.#ours.values()) closeSync(fd);
    this.#ours.clear();
  }

  /** Streams around our ends. */
  openOurs(): ReadonlyMap<number, Socket> {
    const streams = new Map<number, Socket>();
    for (const [slot, end] of this.#ours) {
      const stream = new Socket({
        fd: end.fd,
        readable: end.direction === 'out',
        writable: end.direction === 'in',
      });
      // A process that goes away while we write is news for `exited`, not a reason to end this program.
      stream.on('error', () => undefined);
      streams.set(slot, stream);
    }
    return streams;
  }

  #connect(slot: StdioSlot, index: number, count: number): number | undefined {
    if (slot === 'ignore') return undefined;
    if (typeof slot === 'object') return this.#lift(slot.fd, index, count);
    const ends = pipe();
    const incoming = slot === 'pipe-in';
    const [ours, theirs] = incoming ? [ends.write, ends.read] : [ends.read, ends.write];
    this.#ours.set(index, { fd: ours, direction: incoming ? 'in' : 'out' });
    this.#theirs.push(theirs);
    return this.#lift(theirs, index, count);
  }

  /**
   * Slots are filled in order by dup2, so a source numbered like a slot to come would be overwritten before its
   * turn: such sources are moved out of the way first.
   */
  #lift(fd: number, index: number, count: number): number {
    if (fd >= count || fd === index) return fd;
    const copy = duplicateFd(fd, count);
    this.#theirs.push(copy);
    return copy;
  }
}

/** One call of posix_spawn(3): its structures live until `dispose`. */
class SpawnCall implements Disposable {
  readonly #command: Command;
  readonly #program: Program;
  readonly #actions = Buffer.alloc(OPAQUE_BYTES);
  readonly #attributes = Buffer.alloc(OPAQUE_BYTES);
  readonly #pid = new Int32Array(1);

  constructor(command: Command, plumbing: Plumbing, detached: boolean) {
    this.#command = command;
    this.#program = resolveProgram(command);
    succeed(cActionsInit(this.#actions), 'posix_spawn_file_actions_init');
    succeed(cAttributesInit(this.#attributes), 'posix_spawnattr_init');
    try {
      describeFiles(this.#actions, plumbing.sources, command.cwd);
      describeSignals(this.#attributes, detached);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** By this thread. Returns the pid. */
  make(): number {
    return this.#pidAfter(cSpawn(...this.#arguments()));
  }

  /** By a thread of node's pool. */
  async makeInBackground(): Promise<number> {
    return this.#pidAfter((await cSpawnInBackground(...this.#arguments())).result);
  }

  [Symbol.dispose](): void {
    cActionsDestroy(this.#actions);
    cAttributesDestroy(this.#attributes);
  }

  #arguments(): readonly NativeArgument[] {
    const { path, argv, env } = this.#program;
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const lists = [
      [...argv, null],
      [...variables, null],
    ];
    return [this.#pid, path, this.#actions, this.#attributes, ...lists];
  }

  #pidAfter(failure: number): number {
    if (failure !== 0) throw cannotExecute(this.#command, codeOf(failure));
    return this.#pid[0] ?? -1;
  }
}

function describeFiles(
  actions: Buffer,
  sources: readonly (number | undefined)[],
  cwd: string | undefined,
): void {
  for (const [slot, source] of sources.entries()) {
    succeed(
      source === undefined
        ? cAddOpen(actions, slot, '/dev/null', constants.O_RDWR, 0)
        : cAddDup2(actions, source, slot),
      'posix_spawn_file_actions',
    );
  }
  // Node opens everything close-on-exec; this also covers what our own parent left open in us.
  if (closeFromWorks()) succeed(cAddCloseFrom(actions, sources.length), 'addclosefrom_np');
  if (cwd !== undefined) succeed(cAddChdir(actions, cwd), 'addchdir_np');
}

/** Node ignores SIGPIPE and blocks nothing; an executed program inherits both, so both are reset. */
function describeSignals(attributes: Buffer, detached: boolean): void {
  const all = Buffer.alloc(OPAQUE_BYTES).fill(0xff, 0, 128);
  succeed(cSetSigDefault(attributes, all), 'posix_spawnattr_setsigdefault');
  succeed(cSetSigMask(attributes, Buffer.alloc(OPAQUE_BYTES)), 'posix_spawnattr_setsigmask');
  const flags = SETSIGDEF | SETSIGMASK | (detached ? SETSID : 0);
  succeed(cSetFlags(attributes, flags), 'posix_spawnattr_setflags');
}

let closeFromKnown: boolean | undefined;

function closeFromWorks(): boolean {
  closeFromKnown ??= hasNativeFunction('posix_spawn_file_actions_addclosefrom_np');
  return closeFromKnown;
}

/** The posix_spawn family returns the errno itself. */
function succeed(errno: number, call: string): void {
  if (errno !== 0) throw systemError({ call, errno });
}

function codeOf(errno: number): string {
  return errnoCode(systemError({ call: 'posix_spawn', errno })) ?? String(errno);
}
