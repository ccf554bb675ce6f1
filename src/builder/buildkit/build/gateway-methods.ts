/**
 * The gateway: while a build goes on, its client runs the part that decides what to build. It asks us to carry out a
 * Dockerfile, gets names of results, and returns those that are to be exported.
 */

import { type WorkerFacts, workerRecord } from '../control/worker.ts';
import type { FrontendAnswer, FrontendRequest } from '../frontend/dockerfile-frontend.ts';
import type { CallInfo, ServedMethod } from '../grpc/service.ts';
import { unary } from '../grpc/service.ts';
import { Empty } from '../proto/control.ts';
import {
  EvaluateRequest,
  type GatewayResult,
  GatewaySolveRequest,
  GatewaySolveResponse,
  InputsResponse,
  PongResponse,
  ResolveSourceMetaRequest,
  ResolveSourceMetaResponse,
  ReturnRequest,
  WarnRequest,
} from '../proto/gateway.ts';
import type { EncodableOf } from '../proto/message.ts';
import { graphsNotRun, noBuildId, unknownRef } from './build-errors.ts';
import type { BuildJob } from './build-job.ts';
import type { BuildJobs } from './build-jobs.ts';
import { FRONTEND_CAPABILITIES, GRAPH_CAPABILITIES } from './capabilities.ts';
import { resultDefinition } from './result-definition.ts';

export interface GatewayDeps {
  readonly worker: WorkerFacts;
  readonly jobs: BuildJobs;
  runFrontend(
    job: BuildJob,
    request: FrontendRequest,
    signal: AbortSignal,
  ): Promise<FrontendAnswer>;
}

const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge';
const BUILD_ID = 'buildkit-controlapi-buildid';

/** The methods of the gateway, for all builds: each call names its build. */
export function gatewayMethods(deps: GatewayDeps): ReadonlyMap<string, ServedMethod> {
  const jobOf = (call: CallInfo) => {
    const id = call.metadata.get(BUILD_ID)?.[0];
    if (id === undefined) throw noBuildId();
    return deps.jobs.wait(id, call.signal);
  };
  return new Map([
    [`${BRIDGE}/Ping`, ping(deps)],
    [
      `${BRIDGE}/Inputs`,
      unary({ request: Empty, response: InputsResponse }, async (_, call) => {
        const { order } = await jobOf(call);
        return { definitions: order.frontendInputs };
      }),
    ],
    [
      `${BRIDGE}/Solve`,
      unary(
        { request: GatewaySolveRequest, response: GatewaySolveResponse },
        async (request, call) => {
          const job = await jobOf(call);
          if (request.frontend === '') throw graphsNotRun();
          const signal = AbortSignal.any([call.signal, job.signal]);
          const { frontend, frontendOpt: options, frontendInputs: inputs } = request;
          return toResponse(await deps.runFrontend(job, { frontend, options, inputs }, signal));
        },
      ),
    ],
    [
      `${BRIDGE}/Evaluate`,
      // Results are there as soon as they have a name.
      unary({ request: EvaluateRequest, response: Empty }, async ({ ref }, call) => {
        if ((await jobOf(call)).ref(ref) === undefined) throw unknownRef(ref);
        return {};
      }),
    ],
    [
      `${BRIDGE}/ResolveSourceMeta`,
      // Policies of clients ask; without an answer of ours they decide on what they have.
      unary(
        { request: ResolveSourceMetaRequest, response: ResolveSourceMetaResponse },
        ({ source }) => ({ source }),
      ),
    ],
    [
      `${BRIDGE}/Warn`,
      unary({ request: WarnRequest, response: Empty }, async (warning, call) => {
        const { digest, level, short, detail, url, info, ranges } = warning;
        const { log } = await jobOf(call);
        log.add({ warnings: [{ vertex: digest, level, short, detail, url, info, ranges }] });
        return {};
      }),
    ],
    [
      `${BRIDGE}/Return`,
      unary({ request: ReturnRequest, response: Empty }, async (request, call) => {
        (await jobOf(call)).conclude(request);
        return {};
      }),
    ],
  ]);
}

const ping = ({ worker }: GatewayDeps) =>
  unary({ request: Empty, response: PongResponse }, () => ({
    frontendCapabilities: FRONTEND_CAPABILITIES.map((id) => ({ id, enabled: true })),
    graphCapabilities: GRAPH_CAPABILITIES.map((id) => ({ id, enabled: true })),
    workers: [workerRecord(worker)],
  }));

const toRef = (id: string) => ({ id, definition: resultDefinition(id) });

function toResponse(answer: FrontendAnswer): EncodableOf<typeof GatewaySolveResponse> {
  return { result: toResult(answer) };
}

/** One result stands alone unless the client asked for a list. */
function toResult({ refs, isList, metadata }: FrontendAnswer): EncodableOf<typeof GatewayResult> {
  const [first] = refs;
  if (first === undefined) return { ref: {}, metadata };
  if (!isList) return { ref: toRef(first.ref.id), metadata };
  return { refs: { refs: new Map(refs.map(({ key, ref }) => [key, toRef(ref.id)])) }, metadata };
}
