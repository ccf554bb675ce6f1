/** What `run-engine.ts` gives to the composition of the engine, and what it expects of it. */
import type { HostFacts } from '../handshake/host-facts.ts';
import type { ShutdownReason } from '../handshake/messages.ts';
import type { HostDialer } from '../network/host-dialer.ts';
import type { HostListeners } from '../network/port-publisher.ts';
import type { Clock } from '../shared/clock.ts';
import type { Failpoints } from '../shared/failpoints.ts';
import type { Logger } from '../shared/logger.ts';
import type { DataPaths, RuntimePaths } from '../sys/paths.ts';
import type { RegistryCredentials } from '../wire/registry-auth.ts';

/** Everything that comes from outside of the engine. */
export interface EngineParts {
  readonly version: string;
  readonly facts: HostFacts;
  readonly dataPaths: DataPaths;
  readonly runtimePaths: RuntimePaths;
  /** Sockets bound on the host, for published ports. */
  readonly hostListeners: HostListeners;
  /** Connections from the host's network namespace, for registries. */
  readonly hostDialer: HostDialer;
  /** What the user's docker configuration has for a registry. Rejects when that cannot be told. */
  readonly findCredentials: (domain: string) => Promise<RegistryCredentials | undefined>;
  /** The environment for proxies and the like, as passed on by the host. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly logger: Logger;
}

/** An engine that has recovered its state and is about to serve. */
export interface ComposedEngine {
  /** What the user should know of its state. */
  readonly warnings: readonly string[];
  /** Serves the API on a listening descriptor, which from then on is the server's. */
  serve(listenerFd: number): Promise<void>;
  /**
   * Stops serving and ends everything that must not outlive this process: with the containers (`stop`) or
   * without them (`handover`).
   */
  stop(reason: ShutdownReason): Promise<void>;
}

/** Builds an engine. Rejects when it cannot work; the host then gives up or tries again. */
export type ComposeEngine = (parts: EngineParts) => Promise<ComposedEngine>;
