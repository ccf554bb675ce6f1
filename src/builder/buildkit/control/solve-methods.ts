/** Builds as clients order and watch them. */
import type { Clock } from '../../../shared/clock.ts';
import type { Logger } from '../../../shared/logger.ts';
import { graphsNotRun } from '../build/build-errors.ts';
import { BuildJob, type ReturnedResult } from '../build/build-job.ts';
import type { BuildJobs } from '../build/build-jobs.ts';
import type { FrontendAnswer, FrontendRequest } from '../frontend/dockerfile-frontend.ts';
import { GRPC_CODE, statusOf } from '../grpc/grpc-errors.ts';
import { type CallInfo, type ServedMethod, serverStream, unary } from '../grpc/service.ts';
import { SolveRequest, SolveResponse, StatusRequest, StatusResponse } from '../proto/control.ts';
import type { BuildHistory } from './build-history.ts';
import { unservedOptions } from './unserved-options.ts';

export interface SolveDeps {
  readonly jobs: BuildJobs;
  readonly history: BuildHistory;
  readonly clock: Clock;
  readonly logger: Logger;
  runFrontend(
    job: BuildJob,
    request: FrontendRequest,
    signal: AbortSignal,
  ): Promise<FrontendAnswer>;
  /** Does with the result what the order says; resolves to what the client is told of it. */
  exportResult(job: BuildJob, returned: ReturnedResult): Promise<ReadonlyMap<string, string>>;
}

const CONTROL = '/moby.buildkit.v1.Control';

export function solveMethods(deps: SolveDeps): ReadonlyMap<string, ServedMethod> {
  return new Map([
    [
      `${CONTROL}/Solve`,
      unary({ request: SolveRequest, response: SolveResponse }, async (order, call) => ({
        exporterResponse: await solve(deps, new BuildJob(order, deps.clock, call.signal)),
      })),
    ],
    [
      `${CONTROL}/Status`,
      serverStream({ request: StatusRequest, response: StatusResponse }, ({ ref }, call) =>
        watch(deps, ref, call),
      ),
    ],
  ]);
}

/** Carries out a build to its last output. Resolves to what the client is told; the job's progress ends with it. */
export async function solve(deps: SolveDeps, job: BuildJob): Promise<ReadonlyMap<string, string>> {
  deps.jobs.add(job);
  deps.history.begin(job);
  try {
    await job.progress.remark(unservedOptions(job.order));
    const returned = await resultOf(deps, job);
    const response = await deps.exportResult(job, returned);
    deps.history.end(job, { response });
    return response;
  } catch (error) {
    const { code } = statusOf(error);
    const word = code === GRPC_CODE.cancelled ? 'cancelled' : 'failed';
    deps.logger.debug(`build ${job.order.ref} ${word}`, { error });
    deps.history.end(job, { error });
    throw error;
  } finally {
    job.close();
    deps.jobs.remove(job);
  }
}

/** Without a frontend the client decides what to build, through the gateway. */
async function resultOf(deps: SolveDeps, job: BuildJob): Promise<ReturnedResult> {
  const { frontend, frontendAttrs: options, frontendInputs: inputs, definition } = job.order;
  if ((definition?.def.length ?? 0) > 0) throw graphsNotRun();
  if (frontend === '') return await job.returned;
  const request = { frontend, options, inputs };
  const { refs, metadata } = await deps.runFrontend(job, request, job.signal);
  return { refs: refs.map(({ ref }) => ref), metadata };
}

async function* watch(deps: SolveDeps, ref: string, call: CallInfo) {
  const known = deps.jobs.logOf(ref) ?? deps.history.logOf(ref);
  const log = known ?? (await deps.jobs.wait(ref, call.signal)).log;
  yield* log.follow(call.signal);
}
