/** The host process of a virtual machine: holds the lock and the API's sockets, and keeps the machine running. */
import type { Duplex } from 'node:stream';
import type { MachineReport } from '../../handshake/machine-report.ts';
import type { OperatorAnswer, OperatorMessage } from '../../handshake/messages.ts';
import { messageOf } from '../../shared/errors.ts';
import { ensurePrivateDir } from '../../sys/fs/private-dir.ts';
import type { RuntimePaths } from '../../sys/paths.ts';
import type { ApiAddress } from '../api-address.ts';
import { ControlServer } from '../control-server.ts';
import { Gate } from '../gate.ts';
import type { EmitHostEvent } from '../host-events.ts';
import { HostLock } from '../host-lock.ts';
import { ApiFront } from './api-front.ts';
import { readConsole } from './console-log.ts';
import { vmStarting } from './vm-errors.ts';
import { VmMachine, type VmMachineOptions } from './vm-machine.ts';

export interface VmHostOptions {
  readonly version: string;
  readonly paths: RuntimePaths;
  readonly dataRoot: string;
  readonly machine: VmMachineOptions;
  readonly apiAddresses: readonly ApiAddress[];
  readonly warnings: readonly string[];
  readonly emit: EmitHostEvent;
  /** Undoes what was made around the host. */
  readonly cleanUp: () => Promise<void>;
}

export class VmHost {
  readonly #options: VmHostOptions;
  readonly #lock: HostLock;
  readonly #control: ControlServer;
  readonly #front = new ApiFront({ open: () => this.#openApi() });
  readonly #ended = new Gate<unknown>();
  #state: MachineReport['state'] = 'starting';
  #machine: VmMachine | undefined;
  /** What the guest does while it starts, for those who come too early. */
  #stage = 'loading the kernel';
  #failure: unknown;
  #wasReady = false;
  #starting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(options: VmHostOptions, lock: HostLock) {
    this.#options = options;
    this.#lock = lock;
    const never = () => undefined;
    const onOperator = (message: OperatorMessage, answer: (answer: OperatorAnswer) => void) =>
      this.#background(this.#serve(message, answer));
    this.#control = new ControlServer(
      { onEngine: never, onEngineMessage: never, onOperator },
      options.machine.logger,
    );
  }

  /** Takes the lock and binds the API; the machine starts meanwhile. `conflict` when another host runs. */
  static async start(options: VmHostOptions): Promise<VmHost> {
    await ensurePrivateDir(options.paths.root);
    const host = new VmHost(options, await HostLock.acquire(options.paths));
    try {
      await host.#control.listen(options.paths.hostSocket);
      for (const address of options.apiAddresses) await host.#front.listen(address);
    } catch (error) {
      await host.stop(error);
      throw error;
    }
    host.#wake();
    return host;
  }

  /** Resolves when the host has ended: with the reason, unless it was asked to end. */
  get ended(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** Stops the machine in order and leaves nothing. A second call waits for the first. */
  stop(reason?: unknown): Promise<void> {
    this.#stopped ??= this.#tearDown(reason);
    return this.#stopped;
  }

  /** There is nothing faster than the machine's own way to stop that loses nothing. */
  stopNow(): Promise<void> {
    return this.stop();
  }

  /** Starts the machine when it neither runs nor starts. */
  #wake(): void {
    if (this.#starting !== undefined || this.#machine !== undefined) return;
    if (this.#state === 'stopping') return;
    this.#starting = this.#startMachine().finally(() => {
      this.#starting = undefined;
    });
  }

  async #startMachine(): Promise<void> {
    const watch = setInterval(() => this.#background(this.#readStage()), 500);
    try {
      const machine = await VmMachine.start(this.#options.machine);
      this.#machine = machine;
      this.#failure = undefined;
      if (this.#stopped === undefined) this.#becomeReady(machine);
    } catch (error) {
      this.#failure = error;
      if (this.#stopped !== undefined) return;
      this.#options.machine.logger.error(messageOf(error));
      this.#state = 'degraded';
      // One that never ran will not run by being started again.
      if (!this.#wasReady) this.#background(this.stop(error));
    } finally {
      clearInterval(watch);
    }
  }

  #becomeReady(machine: VmMachine): void {
    const hosts = this.#options.apiAddresses.map(({ text }) => text);
    this.#state = 'running';
    this.#background(machine.whenEnded().then(() => this.#machineEnded(machine)));
    if (this.#wasReady) return;
    this.#wasReady = true;
    this.#options.emit({ event: 'ready', hosts });
    this.#options.machine.logger.info('API listens', { hosts });
  }

  async #machineEnded(machine: VmMachine): Promise<void> {
    if (this.#stopped !== undefined || this.#machine !== machine) return;
    const { tail } = await readConsole(this.#options.machine.parts.consoleLog);
    this.#options.machine.logger.error('the virtual machine has ended', { console: tail });
    this.#options.emit({ event: 'engine-ended', how: 'the virtual machine has ended' });
    this.#machine = undefined;
    this.#state = 'degraded';
    await machine.discard();
    this.#wake();
  }

  #openApi(): Duplex {
    if (this.#machine !== undefined) return this.#machine.openApi();
    const { failure, stage } = { failure: this.#failure, stage: this.#stage };
    this.#wake();
    throw failure ?? vmStarting(stage);
  }

  async #readStage(): Promise<void> {
    this.#stage = (await readConsole(this.#options.machine.parts.consoleLog)).stage;
  }

  async #serve(message: OperatorMessage, answer: (answer: OperatorAnswer) => void): Promise<void> {
    if (message.type === 'operator-status') {
      answer({ type: 'machine-report', report: this.#report() });
      return;
    }
    answer({ type: 'stopping' });
    await this.stop();
  }

  #report(): MachineReport {
    const { version, paths, dataRoot, machine, warnings, apiAddresses } = this.#options;
    const vm = this.#machine && {
      vm: { driver: machine.driver.name, pid: this.#machine.pid, alive: true },
    };
    return {
      state: this.#state,
      version,
      host: { pid: process.pid, alive: true },
      ...vm,
      dataRoot,
      execRoot: paths.root,
      hosts: apiAddresses.map(({ text }) => text),
      warnings: [...warnings],
      errors: this.#failure === undefined ? [] : [messageOf(this.#failure)],
    };
  }

  async #tearDown(reason: unknown): Promise<void> {
    this.#state = 'stopping';
    this.#options.emit({ event: 'stopping' });
    // A machine that is starting cannot be told anything yet.
    await this.#starting;
    await this.#attempt('stop the virtual machine', async () => this.#machine?.stop());
    await this.#attempt('remove the sockets', () => this.#front.close());
    await this.#attempt('clean up', () => this.#options.cleanUp());
    await this.#attempt('empty the runtime directory', () => this.#lock.releaseEmptied());
    this.#control.close();
    this.#ended.resolve(reason);
  }

  #background(work: Promise<unknown>): void {
    work.catch((error) => this.#options.machine.logger.error(messageOf(error), { error }));
  }

  async #attempt(what: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#options.machine.logger.error(`cannot ${what}: ${messageOf(error)}`, { error });
    }
  }
}
