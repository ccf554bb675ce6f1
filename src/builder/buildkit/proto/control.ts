/** moby.buildkit.v1.Control and grpc.health.v1, as far as clients of the docker driver use them. */
import { VersionMessage, WorkerRecord } from './common.ts';
import { int, message, repeated, sub } from './message.ts';

export const Empty = message({});

export const InfoResponse = message({ buildkitVersion: sub(1, VersionMessage) });

export const ListWorkersResponse = message({ record: repeated(1, WorkerRecord) });

/** grpc.health.v1; a status of 1 says that the service works. */
export const HealthCheckResponse = message({ status: int(1) });
export const SERVING = 1;
