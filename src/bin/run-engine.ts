/** Life of the engine process: meet the host, build the engine, serve, and end as the host says. */
import { createConnection, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import type { HostFacts } from '../handshake/host-facts.ts';
import { HostLink } from '../handshake/host-link.ts';
import type { ShutdownReason } from '../handshake/messages.ts';
import { HostDialerClient } from '../network/publish/host-dialer-client.ts';
import { HostHandles } from '../network/publish/host-handles.ts';
import { HostListenersClient } from '../network/publish/host-listeners-client.ts';
import { systemClock } from '../shared/clock.ts';
import { invariant, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { configureProcesses } from '../sys/exec/process-settings.ts';
import { FileLock } from '../sys/lock/file-lock.ts';
import { leaveOuterNetwork } from '../sys/ns/outer-network.ts';
import { dataPaths, type RuntimePaths, runtimePaths } from '../sys/paths.ts';
import { engineHelperEnvironment } from './base-environment.ts';
import { dataInUse } from './bin-errors.ts';
import { createLogger, tolerateLostOutput } from './console-logger.ts';
import type { ComposedEngine, ComposeEngine } from './engine-composition.ts';
import { holdAtFailpoints } from './hold-at-failpoints.ts';
import { prepareMounts } from './prepare-mounts.ts';
import { VERSION } from './version.ts';

/** What the process was started with. */
export interface EngineStart {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Runs an engine to its end and resolves to the exit code. Never rejects. */
export async function runEngine(start: EngineStart, compose: ComposeEngine): Promise<number> {
  tolerateLostOutput();
  // Files of containers must be readable for their users, whatever the caller's shell was set to.
  process.umask(0o022);
  const bootLogger = createLogger({ level: 'info', format: 'text' }, 'engine');
  endOnSurprises(bootLogger);
  try {
    const { values } = parseArgs({
      args: [...start.argv],
      options: { 'exec-root': { type: 'string' }, 'network-namespace': { type: 'string' } },
    });
    const { 'network-namespace': network } = values;
    if (network !== undefined) await leaveOuterNetwork(network);
    invariant(values['exec-root'] !== undefined, 'the engine is started by the host');
    const paths = runtimePaths(values['exec-root']);
    await new EngineProcess(paths, start.environment, bootLogger).run(compose);
    return 0;
  } catch (error) {
    bootLogger.error(`the engine cannot run: ${messageOf(error)}`, { error });
    return 1;
  }
}

/** A bug has left things in an unknown state: the next engine finds out how they are, this one cannot. */
function endOnSurprises(logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.error(`unexpected error: ${messageOf(error)}`, { error });
      process.exit(1);
    });
  }
}

class EngineProcess {
  readonly #paths: RuntimePaths;
  readonly #environment: EngineStart['environment'];
  readonly #handles: HostHandles;
  readonly #listeners: HostListenersClient;
  readonly #link: HostLink;
  readonly #closing = new AbortController();
  readonly #served = new Set<string>();
  readonly #firstFacts: Promise<HostFacts>;
  readonly #shutdown: Promise<ShutdownReason>;
  #engine: ComposedEngine | undefined;
  #dataLock: FileLock | undefined;
  #logger: Logger;

  constructor(paths: RuntimePaths, environment: EngineStart['environment'], bootLogger: Logger) {
    this.#paths = paths;
    this.#environment = environment;
    this.#logger = bootLogger;
    this.#handles = new HostHandles(paths.handlesSocket, () => this.#link);
    this.#listeners = new HostListenersClient(this.#handles);
    let onFirstFacts: (facts: HostFacts) => void = () => undefined;
    this.#firstFacts = new Promise((resolve) => {
      onFirstFacts = resolve;
    });
    let onShutdown: (reason: ShutdownReason) => void = () => undefined;
    this.#shutdown = new Promise((resolve) => {
      onShutdown = resolve;
    });
    // A signal comes from the system or a user, not from the host: the host will start the next engine.
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => onShutdown('handover'));
    process.on('SIGHUP', () => undefined);
    this.#link = new HostLink({
      dial: () => dial(paths.hostSocket),
      pid: process.pid,
      version: VERSION,
      clock: systemClock,
      logger: bootLogger,
      heldListeners: () => this.#listeners.names(),
      returnListener: (listenerId, token) => this.#listeners.giveBack(listenerId, token),
      onFacts: (facts) => {
        onFirstFacts(facts);
        this.#serveNewListeners(facts).catch((error) => this.#reportListener(error));
      },
      onShutdown,
    });
  }

  /** Resolves when the engine has ended in order. */
  async run(compose: ComposeEngine): Promise<void> {
    const talking = this.#link.run(this.#closing.signal);
    try {
      const facts = await Promise.race([this.#firstFacts, this.#shutdown]);
      if (typeof facts === 'string') return;
      await this.#start(facts, compose);
      const reason = await this.#shutdown;
      this.#logger.info('ending', { reason });
      await this.#engine?.stop(reason);
    } finally {
      this.#closing.abort();
      await talking;
      this.#dataLock?.release();
    }
  }

  async #start(facts: HostFacts, compose: ComposeEngine): Promise<void> {
    const { logLevel, logFormat } = facts.settings;
    const logger = createLogger({ level: logLevel, format: logFormat }, 'engine');
    this.#logger = logger;
    configureProcesses({
      environment: engineHelperEnvironment(this.#environment),
      onFinished: (trace) => logger.debug('process ended', { ...trace }),
    });
    const data = dataPaths(facts.dataRoot);
    const lock = await FileLock.acquire(data.engineLock);
    if (lock === undefined) throw dataInUse(facts.dataRoot);
    this.#dataLock = lock;
    await prepareMounts(facts);
    this.#engine = await compose({
      version: VERSION,
      facts,
      dataPaths: data,
      runtimePaths: this.#paths,
      hostListeners: this.#listeners,
      hostDialer: new HostDialerClient(this.#handles),
      findCredentials: async (domain) =>
        (await this.#link.request({ op: 'find-credentials', domain })).credentials,
      environment: this.#environment,
      clock: systemClock,
      failpoints: holdAtFailpoints(this.#environment),
      logger,
    });
    await this.#serveNewListeners(facts);
    this.#link.announceReady(this.#engine.warnings);
  }

  /** Takes over the API's sockets that are not served yet: all at first, new ones of a later host. */
  async #serveNewListeners(facts: HostFacts): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    for (const { listenerId } of facts.apiListeners) {
      if (this.#served.has(listenerId)) continue;
      this.#served.add(listenerId);
      const { fd } = await this.#listeners.adopt(listenerId);
      await engine.serve(fd);
    }
  }

  #reportListener(error: unknown): void {
    this.#logger.error(`cannot serve a socket of the API: ${messageOf(error)}`, { error });
  }
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
