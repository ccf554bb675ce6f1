/**
 * The host process: holds the lock, keeps the machine and one engine running, keeps the sockets open, and ends
 * everything when told to.
 */
import type { ApiListener, CgroupFacts, HostFacts } from '../handshake/host-facts.ts';
import type { MachineReport } from '../handshake/machine-report.ts';
import type { OperatorAnswer, OperatorMessage } from '../handshake/messages.ts';
import type { Clock } from '../shared/clock.ts';
import { invariant, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Command } from '../sys/exec/command.ts';
import { ensurePrivateDir } from '../sys/fs/private-dir.ts';
import type { RuntimePaths } from '../sys/paths.ts';
import type { ProcessIdentity } from '../sys/proc/process-identity.ts';
import type { ApiAddress } from './api-address.ts';
import { bindApiSockets, type InheritedSocket, removeApiSocketFile } from './api-sockets.ts';
import { ControlServer } from './control-server.ts';
import type { StoredCredentials } from './credentials/stored-credentials.ts';
import type { GroupKeeper } from './delegation/claim-group.ts';
import { describeEngine, describeMachine } from './describe-machine.ts';
import { EngineSession } from './engine-session.ts';
import { EngineSupervisor } from './engine-supervisor.ts';
import { Gate } from './gate.ts';
import { HandleSocket } from './handle-socket.ts';
import { anchorLost, engineDidNotStart } from './host-errors.ts';
import type { EmitHostEvent } from './host-events.ts';
import { HostLock } from './host-lock.ts';
import { ListenerRegistry } from './listener-registry.ts';
import { NamespaceMachine, type NamespaceMachineOptions } from './namespace/namespace-machine.ts';
import { outerPorts } from './outer/outer-ports.ts';
import { endProcess, signalProcess } from './process-end.ts';

/** What a host is made of. */
export interface HostProcessOptions {
  readonly version: string;
  readonly paths: RuntimePaths;
  readonly dataRoot: string;
  readonly machine: NamespaceMachineOptions;
  readonly apiAddresses: readonly ApiAddress[];
  readonly inheritedSockets: readonly InheritedSocket[];
  /** The engine's program with its arguments, as run inside the machine. */
  readonly engine: Command;
  /** What the engine is told, except what only the running machine knows. */
  readonly facts: Omit<HostFacts, 'idMap' | 'uplink' | 'apiListeners' | 'cgroup'>;
  /** What the user's docker configuration has for registries. */
  readonly credentials: StoredCredentials;
  /** Socket of the agent of the virtual machine that this runs in; absent when it runs in none. */
  readonly outerHost?: string;
  /** Where the control group for containers comes from. */
  readonly group: GroupKeeper;
  /** Milliseconds the engine gets to stop with its containers; undefined for no limit. */
  readonly stopTimeoutMs: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly emit: EmitHostEvent;
  /** Undoes what was made around the host. Awaited before those who wait for the host's end are told. */
  readonly cleanUp: () => Promise<void>;
}

type State = MachineReport['state'];

const LITTLE_WAY_OUT =
  'containers reach the outside by TCP connections and name lookups only, which the daemon makes for them';

/** How long an engine that outlived its host may take to find the new one. */
const REJOIN_TIMEOUT_MS = 5_000;

/** One host, from taking the lock to letting go of it. */
export class HostProcess {
  readonly #options: HostProcessOptions;
  readonly #lock: HostLock;
  readonly #listeners = new ListenerRegistry();
  readonly #handles: HandleSocket;
  readonly #control: ControlServer;
  readonly #session: EngineSession;
  readonly #ended = new Gate<unknown>();
  readonly #apiBound = new Gate();
  #machine: NamespaceMachine | undefined;
  #supervisor: EngineSupervisor | undefined;
  #apiListeners: readonly ApiListener[] = [];
  /** Unknown until the machine is there. */
  #cgroup: CgroupFacts = { layout: 'none' };
  #state: State = 'starting';
  #wasReady = false;
  #stopped: Promise<void> | undefined;
  #stopReason: 'stop' | 'machine-lost' = 'stop';

  private constructor(options: HostProcessOptions, lock: HostLock) {
    this.#options = options;
    this.#lock = lock;
    this.#handles = HandleSocket.open(options.paths.handlesSocket);
    this.#session = new EngineSession({
      version: options.version,
      listeners: this.#listeners,
      handles: this.#handles,
      credentials: options.credentials,
      ...outerPorts(options, this.#listeners),
      facts: () => this.#factsForEngine(),
      onReady: () => this.#background(this.#becomeReady()),
      logger: options.logger,
    });
    this.#control = new ControlServer(
      {
        onEngine: (port, hello) => this.#background(this.#session.greet(port, hello)),
        onEngineMessage: (port, message) => this.#background(this.#session.hear(port, message)),
        onOperator: (message, answer) => this.#background(this.#serve(message, answer)),
      },
      options.logger,
    );
  }

  /**
   * Takes the lock and brings everything up; resolves once the engine is being started (or has been taken over).
   * `conflict` when another host runs. On any other failure nothing is left behind.
   */
  static async start(options: HostProcessOptions): Promise<HostProcess> {
    const host = await HostProcess.#open(options);
    try {
      await host.#bringUp();
      return host;
    } catch (error) {
      await host.stop(error);
      throw error;
    }
  }

  /** Ends a machine whose host is gone: as its next host would, but only to stop it. False when there was none. */
  static async end(options: HostProcessOptions): Promise<boolean> {
    const host = await HostProcess.#open(options);
    try {
      host.#machine = await NamespaceMachine.adopt(options.machine);
      host.#apiListeners = host.#machine?.earlier.apiListeners ?? [];
      host.#cgroup = host.#machine?.earlier.cgroup ?? host.#cgroup;
      await host.#control.listen(options.paths.hostSocket);
      if (host.#machine !== undefined) await host.#takeOverEngine(host.#machine);
      return host.#machine !== undefined;
    } finally {
      await host.stop();
    }
  }

  static async #open(options: HostProcessOptions): Promise<HostProcess> {
    await ensurePrivateDir(options.paths.root);
    const lock = await HostLock.acquire(options.paths);
    try {
      return new HostProcess(options, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Resolves when the host has ended: with the reason, unless it was asked to end. */
  get ended(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** Stops the engine with its containers and leaves nothing. A second call waits for the first. */
  stop(reason?: unknown): Promise<void> {
    this.#stopped ??= this.#tearDown(reason);
    return this.#stopped;
  }

  #stopLost(): Promise<void> {
    this.#stopReason = 'machine-lost';
    return this.stop(anchorLost());
  }

  /** Stops waiting for containers to end by themselves: kills the engine; `stop` goes on from there. */
  async stopNow(): Promise<void> {
    if (this.#supervisor?.process !== undefined) await endProcess(this.#supervisor.process, 0);
  }

  async #bringUp(): Promise<void> {
    const options = this.#options;
    const adopted = await NamespaceMachine.adopt(options.machine);
    this.#machine = adopted;
    await this.#control.listen(options.paths.hostSocket);
    if (adopted !== undefined) {
      this.#cgroup = await options.group.rejoin(adopted.earlier.cgroup ?? this.#cgroup);
      await this.#takeOverEngine(adopted);
    }
    await this.#bindApi();
    // Before anything is started that is to live there.
    if (adopted === undefined) this.#cgroup = await options.group.claim();
    const machine = adopted ?? (await NamespaceMachine.create(options.machine));
    this.#machine = machine;
    await machine.recordGroup(this.#cgroup);
    await machine.recordApiListeners(this.#apiListeners);
    this.#background(machine.whenLost().then(() => this.#stopLost()));
    if (this.#supervisor === undefined) {
      this.#supervisor = this.#supervise(machine);
      await this.#supervisor.start();
    }
  }

  /** Waits until the surviving engine has said hello, so that its sockets come back before new ones are bound. */
  async #takeOverEngine(machine: NamespaceMachine): Promise<void> {
    const { engine } = machine.earlier;
    const supervisor = this.#supervise(machine);
    if (engine === undefined || !(await supervisor.adopt(engine.process))) return;
    this.#supervisor = supervisor;
    const timeout = new AbortController();
    const late = this.#options.clock.sleep(REJOIN_TIMEOUT_MS, timeout.signal);
    await Promise.race([this.#session.joined, late]);
    timeout.abort();
  }

  async #bindApi(): Promise<void> {
    const { apiAddresses, inheritedSockets } = this.#options;
    this.#apiListeners = await bindApiSockets(this.#listeners, apiAddresses, inheritedSockets);
    this.#apiBound.resolve();
  }

  #supervise(machine: NamespaceMachine): EngineSupervisor {
    const { version, clock, logger, engine } = this.#options;
    return new EngineSupervisor({
      command: machine.enter(engine),
      clock,
      logger,
      onStarted: (process: ProcessIdentity) => machine.recordEngine(process, version),
      onEnded: (how) => this.#engineEnded(how),
    });
  }

  /** An engine that never got ready will not get ready by being started again, unless containers wait for it. */
  #engineEnded(how: string): 'restart' | 'give-up' {
    this.#session.forget();
    this.#options.emit({ event: 'engine-ended', how });
    if (this.#wasReady || this.#machine?.adopted === true) {
      this.#state = 'degraded';
      return 'restart';
    }
    this.#background(this.stop(engineDidNotStart(how)));
    return 'give-up';
  }

  async #factsForEngine(): Promise<HostFacts> {
    await this.#apiBound.promise;
    const machine = this.#machine;
    invariant(machine !== undefined, 'an engine runs only inside of a machine');
    const uplink = await machine.uplink();
    const noWayOut = uplink.driver === 'none' ? [`${LITTLE_WAY_OUT}: ${uplink.reason}`] : [];
    return {
      ...this.#options.facts,
      warnings: [...this.#options.facts.warnings, ...machine.warnings, ...noWayOut],
      idMap: machine.idMap,
      cgroup: this.#cgroup,
      uplink,
      apiListeners: [...this.#apiListeners],
    };
  }

  async #becomeReady(): Promise<void> {
    await this.#apiBound.promise;
    if (this.#state === 'stopping') return;
    this.#state = 'running';
    if (this.#wasReady) return;
    this.#wasReady = true;
    this.#options.emit({ event: 'ready', hosts: this.#hosts() });
    this.#options.logger.info('API listens', { hosts: this.#hosts() });
  }

  async #serve(message: OperatorMessage, answer: (answer: OperatorAnswer) => void): Promise<void> {
    if (message.type === 'operator-status') {
      answer({ type: 'machine-report', report: await this.#report() });
      return;
    }
    answer({ type: 'stopping' });
    await this.stop();
  }

  async #report(): Promise<MachineReport> {
    const { version, paths, dataRoot, facts } = this.#options;
    return {
      state: this.#state,
      version,
      host: { pid: process.pid, alive: true },
      ...(await describeMachine(this.#machine)),
      ...describeEngine(this.#supervisor, this.#session.engineVersion ?? version),
      dataRoot,
      execRoot: paths.root,
      hosts: [...this.#hosts()],
      warnings: [
        ...facts.warnings,
        ...(this.#machine?.warnings ?? []),
        ...this.#session.engineWarnings,
      ],
      errors: this.#state === 'degraded' ? ['the engine is being started again'] : [],
    };
  }

  #hosts(): readonly string[] {
    return this.#apiListeners.map(({ address }) => address);
  }

  async #tearDown(reason: unknown): Promise<void> {
    const { emit, logger } = this.#options;
    this.#state = 'stopping';
    emit({ event: 'stopping' });
    await this.#attempt('stop the engine', () => this.#stopEngine());
    this.#listeners.closeAll();
    await this.#attempt('remove the sockets', async () => {
      for (const { listenerId } of this.#apiListeners) await removeApiSocketFile(listenerId);
    });
    await this.#attempt('end the machine', async () => {
      const killed = (await this.#machine?.close()) ?? 0;
      if (killed > 0) logger.debug(`ended ${killed} processes that were left`);
    });
    await this.#attempt('give back the control group', () =>
      this.#options.group.release(this.#cgroup),
    );
    this.#handles.close();
    await this.#attempt('clean up', () => this.#options.cleanUp());
    await this.#attempt('empty the runtime directory', () => this.#lock.releaseEmptied());
    this.#control.close();
    this.#ended.resolve(reason);
  }

  async #stopEngine(): Promise<void> {
    const { logger, stopTimeoutMs } = this.#options;
    const running = this.#supervisor?.process;
    const ask = () => {
      if (!this.#session.askToStop(this.#stopReason) && running !== undefined) {
        this.#background(signalProcess(running, 'SIGTERM'));
      }
    };
    const orderly = (await this.#supervisor?.stop(ask, stopTimeoutMs)) ?? true;
    if (!orderly) logger.warn('the engine did not stop in time and was killed');
  }

  /** Work that nobody waits for: what goes wrong in it is at least told. */
  #background(work: Promise<unknown>): void {
    work.catch((error) => this.#options.logger.error(messageOf(error), { error }));
  }

  /** Tearing down goes on whatever fails: each step that is done is one thing less left behind. */
  async #attempt(what: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#options.logger.error(`cannot ${what}: ${messageOf(error)}`, { error });
    }
  }
}
