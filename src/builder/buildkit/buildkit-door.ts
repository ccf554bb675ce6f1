/**
 * The door for BuildKit's clients (buildx, compose, bake): they call us over one connection and serve their files
 * and secrets to us over another.
 */
import type { Socket } from 'node:net';
import type { Platform } from '../../oci/platform.ts';
import type { Logger } from '../../shared/logger.ts';
import { controlMethods } from './control/control-methods.ts';
import { serveGrpc } from './grpc/grpc-server.ts';
import type { ServedMethods } from './grpc/service.ts';
import { type SessionOffer, SessionRegistry } from './session/session-registry.ts';

export interface BuildkitDoorOptions {
  /** Tells this engine's worker from others. */
  readonly engineId: string;
  /** Version of this program. */
  readonly version: string;
  /** What RUN can execute here, this machine's own first. */
  readonly platforms: readonly Platform[];
  /** Where containers reach the host; what clients put in for `host-gateway`. */
  readonly hostGatewayIp: string;
  readonly logger: Logger;
}

export class BuildkitDoor {
  readonly #options: BuildkitDoorOptions;
  readonly #sessions = new SessionRegistry();
  readonly #methods: ServedMethods;

  constructor(options: BuildkitDoorOptions) {
    this.#options = options;
    this.#methods = new Map([...controlMethods(options)]);
  }

  /** Serves calls until the client's connection ends. Never rejects. */
  serveCalls(socket: Socket): Promise<void> {
    return serveGrpc(socket, { methods: this.#methods, logger: this.#options.logger });
  }

  /** Calls what the client serves, until its connection ends. Never rejects. */
  serveSession(socket: Socket, offer: SessionOffer): Promise<void> {
    return this.#sessions.serve(socket, offer);
  }
}
