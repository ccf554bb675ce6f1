/**
 * The door for BuildKit's clients (buildx, compose, bake): they call us over one connection and serve their files
 * and secrets to us over another.
 */
import type { Socket } from 'node:net';
import type { Platform } from '../../oci/platform.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { BuildCache } from '../build-cache.ts';
import type { Solver } from '../solver.ts';
import type { BuildJob, ReturnedResult } from './build/build-job.ts';
import { BuildJobs } from './build/build-jobs.ts';
import { gatewayMethods } from './build/gateway-methods.ts';
import { exportCache } from './cache/export-cache.ts';
import { BuildHistory } from './control/build-history.ts';
import { controlMethods } from './control/control-methods.ts';
import { historyMethods } from './control/history-methods.ts';
import { solveMethods } from './control/solve-methods.ts';
import { usageMethods } from './control/usage-methods.ts';
import type { ExportDeps } from './export/export-deps.ts';
import { exportResult } from './export/export-result.ts';
import { type FrontendRequest, runFrontend } from './frontend/dockerfile-frontend.ts';
import type { ReceiveContext } from './frontend/remote-context.ts';
import { serveGrpc } from './grpc/grpc-server.ts';
import type { ServedMethods } from './grpc/service.ts';
import { OrderedBuilds } from './ordered/ordered-builds.ts';
import type { ContextStore } from './session/context-store.ts';
import { sessionMethod } from './session/session-method.ts';
import { type SessionOffer, SessionRegistry } from './session/session-registry.ts';

export interface BuildkitDoorOptions {
  /** Tells this engine's worker from others. */
  readonly engineId: string;
  /** Version of this program. */
  readonly version: string;
  /** What images are built for unless the client says otherwise. */
  readonly platform: Platform;
  /** What RUN can execute here, this machine's own first. */
  readonly platforms: readonly Platform[];
  /** Where containers reach the host; what clients put in for `host-gateway`. */
  readonly hostGatewayIp: string;
  readonly solver: Solver;
  readonly cache: BuildCache;
  readonly exports: ExportDeps;
  /** Brings contexts here that are not among a client's directories. */
  readonly receive: ReceiveContext;
  /** Keeps contexts of clients. */
  readonly contexts: ContextStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class BuildkitDoor {
  readonly #options: BuildkitDoorOptions;
  readonly #sessions = new SessionRegistry();
  readonly #jobs = new BuildJobs();
  readonly #methods: ServedMethods;
  /** Builds of clients that do not speak gRPC. */
  readonly ordered: OrderedBuilds;

  constructor(options: BuildkitDoorOptions) {
    this.#options = options;
    const { clock, logger } = options;
    const jobs = this.#jobs;
    const history = new BuildHistory(clock);
    const run = (job: BuildJob, request: FrontendRequest, signal: AbortSignal) =>
      this.#run(job, request, signal);
    const solving = {
      ...{ jobs, history, clock, logger, runFrontend: run },
      exportResult: (job: BuildJob, returned: ReturnedResult) => this.#export(job, returned),
    };
    this.ordered = new OrderedBuilds({ ...solving, sessions: this.#sessions });
    this.#methods = new Map([
      ...controlMethods(options),
      ...usageMethods(options.cache),
      ...historyMethods(history),
      ...sessionMethod(this.#sessions),
      ...gatewayMethods({ worker: options, jobs, runFrontend: run }),
      ...solveMethods(solving),
    ]);
  }

  /** Serves calls until the client's connection ends. Never rejects. */
  serveCalls(socket: Socket): Promise<void> {
    return serveGrpc(socket, { methods: this.#methods, logger: this.#options.logger });
  }

  /** Calls what the client serves, until its connection ends. Never rejects. */
  serveSession(socket: Socket, offer: SessionOffer): Promise<void> {
    return this.#sessions.serve(socket, offer);
  }

  #run(job: BuildJob, request: FrontendRequest, signal: AbortSignal) {
    const { solver, platform, receive, exports, contexts } = this.#options;
    const deps = {
      ...{ solver, platform, receive },
      ...{ images: exports.images, registry: exports.registry, content: exports.content },
      ...{ jobs: this.#jobs, sessions: this.#sessions, contexts },
    };
    return runFrontend(deps, { job, request }, signal);
  }

  async #export(job: BuildJob, returned: ReturnedResult) {
    const session = () => this.#sessions.get(job.order.session, job.signal);
    const { exports } = this.#options;
    const answer = await exportResult(exports, { job, returned, session });
    return new Map([...answer, ...(await exportCache(exports, { job, returned, session }))]);
  }
}
