/** One virtual machine: started or taken over, reached by its channel, stopped in order. */
import { open, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Channel } from '../../channel/channel.ts';
import { TARGETS } from '../../channel/targets.ts';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { spawnProcess } from '../../sys/exec/spawn.ts';
import { identifySync, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { endProcess, endsWithin, whenEnded } from '../process-end.ts';
import { ClockJumps } from './clock-jumps.ts';
import { readConsole } from './console-log.ts';
import { pingApi } from './ping-api.ts';
import { serveGuest } from './ports/serve-guest.ts';
import type { VmDriver, VmParts } from './vm-driver.ts';
import { vmDidNotStart } from './vm-errors.ts';
import { forgetVmProcess, readVmProcess, writeVmProcess } from './vm-record.ts';

export interface VmMachineOptions {
  readonly driver: VmDriver;
  readonly parts: VmParts;
  readonly recordFile: string;
  /** Checks the image, makes the disks; resolves to what undoes it when the machine does not come up. */
  readonly prepare: () => Promise<() => void>;
  readonly startTimeoutMs: number;
  /** For the guest to stop its containers. */
  readonly stopTimeoutMs: number;
  /** Begins what goes on as long as the machine is reached, with streams to its guest. */
  readonly attend: (connect: (target: string) => Duplex) => { close(): void };
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 100;
const CLOCK_INTERVAL_MS = 30_000;
/** A machine that a new host cannot reach by then is of no use to it. */
const ADOPT_TIMEOUT_MS = 60_000;

export class VmMachine {
  readonly #options: VmMachineOptions;
  readonly #channel: Channel;
  readonly #process: ProcessIdentity;
  readonly #clockTimer: NodeJS.Timeout;
  readonly #jumps: ClockJumps;
  readonly #attendant: { close(): void };

  private constructor(options: VmMachineOptions, process: ProcessIdentity, channel: Channel) {
    this.#options = options;
    this.#process = process;
    this.#channel = channel;
    this.#setClock();
    this.#clockTimer = setInterval(() => this.#setClock(), CLOCK_INTERVAL_MS);
    this.#jumps = new ClockJumps(() => this.#setClock());
    this.#attendant = options.attend((target) => channel.open(target));
  }

  /**
   * Takes over the machine that runs already, or boots one; resolves when its engine's API answers. `unavailable` with
   * stage and console when it does not; then nothing of it is left.
   */
  static async start(options: VmMachineOptions): Promise<VmMachine> {
    const running = await readVmProcess(options.recordFile);
    if (running !== undefined) {
      try {
        return await VmMachine.#join(options, running, ADOPT_TIMEOUT_MS);
      } catch (error) {
        options.logger.warn('a machine of an earlier host does not answer and is ended', { error });
      }
    }
    const undo = await options.prepare();
    try {
      return await VmMachine.#join(options, await boot(options), options.startTimeoutMs);
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** Ends the machine of a host that is gone; false when there is none. */
  static async end(options: VmMachineOptions): Promise<boolean> {
    const running = await readVmProcess(options.recordFile);
    if (running === undefined) return false;
    try {
      const machine = await VmMachine.#join(options, running, ADOPT_TIMEOUT_MS);
      await machine.stop();
    } catch (error) {
      options.logger.warn(messageOf(error));
    }
    return true;
  }

  static async #join(
    options: VmMachineOptions,
    process: ProcessIdentity,
    timeoutMs: number,
  ): Promise<VmMachine> {
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort('not ready in time'), timeoutMs);
    whenEnded(process, attempt.signal)
      .then(() => attempt.abort('it ended'))
      .catch(() => undefined);
    try {
      const channel = await reach(options, attempt.signal);
      return new VmMachine(options, process, channel);
    } catch (error) {
      const state = await readConsole(options.parts.consoleLog);
      await endProcess(process, 0);
      await forgetVmProcess(options.recordFile);
      const problem = state.failure ?? String(attempt.signal.reason ?? messageOf(error));
      throw vmDidNotStart(state.stage, problem, state.tail);
    } finally {
      clearTimeout(timer);
      attempt.abort('done');
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** A connection to the API of the engine in the guest. */
  openApi(): Duplex {
    return this.#channel.open(TARGETS.api);
  }

  /** Resolves when the machine's process has ended, for whatever reason. */
  whenEnded(): Promise<void> {
    return whenEnded(this.#process);
  }

  /** Stops engine and guest in order, or by force when they take too long. */
  async stop(): Promise<void> {
    this.#rest();
    const asked = this.#channel.open(TARGETS.shutdown);
    asked.on('error', (error) => this.#options.logger.warn(messageOf(error)));
    asked.resume().end();
    if (!(await endsWithin(this.#process, this.#options.stopTimeoutMs))) {
      this.#options.logger.warn('the virtual machine did not stop in time and was ended');
      await endProcess(this.#process, 0);
    }
    this.#channel.close();
    await forgetVmProcess(this.#options.recordFile);
  }

  /** After the process has ended by itself. */
  async discard(): Promise<void> {
    this.#rest();
    this.#channel.close();
    await forgetVmProcess(this.#options.recordFile);
  }

  #rest(): void {
    clearInterval(this.#clockTimer);
    this.#jumps.close();
    this.#attendant.close();
  }

  /** The guest's clock stands still while this computer sleeps. */
  #setClock(): void {
    const stream = this.#channel.open(`${TARGETS.clock} ${this.#options.clock.now()}`);
    stream.on('error', () => undefined);
    stream.resume().end();
  }
}

async function boot({ driver, parts, recordFile }: VmMachineOptions): Promise<ProcessIdentity> {
  await rm(parts.channelSocket, { force: true });
  await rm(parts.consoleLog, { force: true });
  // What QEMU complains of belongs to what the guest prints.
  const log = await open(parts.consoleLog, 'a', 0o600);
  try {
    const stdio = ['ignore', 'ignore', { fd: log.fd }] as const;
    // It outlives this host, so that a new one can take it over.
    const child = spawnProcess(driver.command(parts), { stdio, detached: true });
    child.unref();
    const identity = identifySync(child.pid);
    if (identity === undefined) throw vmDidNotStart('starting the machine', 'it ended at once', '');
    await writeVmProcess(recordFile, identity);
    return identity;
  } finally {
    await log.close();
  }
}

/** Resolves to a channel whose guest serves the API; rejects when the signal aborts or the guest gives up. */
async function reach(options: VmMachineOptions, signal: AbortSignal): Promise<Channel> {
  const { parts, clock } = options;
  const socket = await untilDone(() => tryConnect(parts.channelSocket), { clock, signal });
  const channel: Channel = new Channel({
    transport: socket,
    side: 'host',
    onStream: (target, stream) => serveGuest(target, stream, (wanted) => channel.open(wanted)),
  });
  try {
    await untilDone(
      async () => {
        const { failure } = await readConsole(parts.consoleLog);
        if (failure !== undefined) throw vmDidNotStart('', failure, '');
        const isThere = channel.isGreeted && (await pingApi(channel.open(TARGETS.api)));
        return isThere || undefined;
      },
      { clock, signal },
    );
    return channel;
  } catch (error) {
    channel.close();
    throw error;
  }
}

/** Asks again and again until there is an answer. */
async function untilDone<T>(
  ask: () => Promise<T | undefined>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    await clock.sleep(RETRY_MS, signal);
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}
