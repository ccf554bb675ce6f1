/** The methods that clients call on any connection: what this builder is and can. */
import { type ServedMethod, unary } from '../grpc/service.ts';
import {
  Empty,
  HealthCheckResponse,
  InfoResponse,
  ListWorkersResponse,
  SERVING,
} from '../proto/control.ts';
import { versionMessage, type WorkerFacts, workerRecord } from './worker.ts';

const CONTROL = '/moby.buildkit.v1.Control';

/** Methods that need no build. */
export function controlMethods(facts: WorkerFacts): ReadonlyMap<string, ServedMethod> {
  return new Map([
    [
      '/grpc.health.v1.Health/Check',
      unary({ request: Empty, response: HealthCheckResponse }, () => ({ status: SERVING })),
    ],
    [
      `${CONTROL}/Info`,
      unary({ request: Empty, response: InfoResponse }, () => ({
        buildkitVersion: versionMessage(facts),
      })),
    ],
    [
      `${CONTROL}/ListWorkers`,
      unary({ request: Empty, response: ListWorkersResponse }, () => ({
        record: [workerRecord(facts)],
      })),
    ],
  ]);
}
