/** moby.buildkit.v1.Control and grpc.health.v1, as far as clients of the docker driver use them. */
import {
  Definition,
  RpcStatus,
  SourceInfo,
  SourceRange,
  Timestamp,
  VersionMessage,
  WorkerRecord,
} from './common.ts';
import {
  bool,
  bytes,
  int,
  map,
  message,
  repeated,
  repeatedBytes,
  repeatedString,
  string,
  stringMap,
  sub,
} from './message.ts';

export const Empty = message({});

export const InfoResponse = message({ buildkitVersion: sub(1, VersionMessage) });

export const ListWorkersResponse = message({ record: repeated(1, WorkerRecord) });

export const UsageRecord = message({
  id: string(1),
  mutable: bool(2),
  inUse: bool(3),
  size: int(4),
  createdAt: sub(6, Timestamp),
  lastUsedAt: sub(7, Timestamp),
  usageCount: int(8),
  description: string(9),
  recordType: string(10),
  shared: bool(11),
  parents: repeatedString(12),
});

export const DiskUsageRequest = message({ filter: repeatedString(1) });
export const DiskUsageResponse = message({ record: repeated(1, UsageRecord) });
export const PruneRequest = message({
  filter: repeatedString(1),
  all: bool(2),
  keepDuration: int(3),
  reservedSpace: int(4),
  maxUsedSpace: int(5),
  minFreeSpace: int(6),
});

const Exporter = message({ type: string(1), attrs: stringMap(2) });
const CacheEntry = message({ type: string(1), attrs: stringMap(2) });

export const SolveRequest = message({
  ref: string(1),
  definition: sub(2, Definition),
  /** The only exporter, as clients before 0.13 name it. */
  exporterType: string(3),
  exporterAttrs: stringMap(4),
  session: string(5),
  frontend: string(6),
  frontendAttrs: stringMap(7),
  cache: sub(8, message({ exports: repeated(4, CacheEntry), imports: repeated(5, CacheEntry) })),
  entitlements: repeatedString(9),
  frontendInputs: map(10, sub(2, Definition)),
  internal: bool(11),
  exporters: repeated(13, Exporter),
});
export const SolveResponse = message({ exporterResponse: stringMap(1) });

export const StatusRequest = message({ ref: string(1) });

export const VertexMessage = message({
  digest: string(1),
  inputs: repeatedString(2),
  name: string(3),
  cached: bool(4),
  started: sub(5, Timestamp),
  completed: sub(6, Timestamp),
  error: string(7),
});

export const VertexStatusMessage = message({
  id: string(1),
  vertex: string(2),
  name: string(3),
  current: int(4),
  total: int(5),
  timestamp: sub(6, Timestamp),
  started: sub(7, Timestamp),
  completed: sub(8, Timestamp),
});

export const VertexLogMessage = message({
  vertex: string(1),
  timestamp: sub(2, Timestamp),
  stream: int(3),
  msg: bytes(4),
});

export const VertexWarningMessage = message({
  vertex: string(1),
  level: int(2),
  short: bytes(3),
  detail: repeatedBytes(4),
  url: string(5),
  info: sub(6, SourceInfo),
  ranges: repeated(7, SourceRange),
});

export const StatusResponse = message({
  vertexes: repeated(1, VertexMessage),
  statuses: repeated(2, VertexStatusMessage),
  logs: repeated(3, VertexLogMessage),
  warnings: repeated(4, VertexWarningMessage),
});

export const BuildHistoryRequest = message({
  activeOnly: bool(1),
  ref: string(2),
  earlyExit: bool(3),
  filter: repeatedString(4),
  limit: int(5),
});

export const BuildHistoryRecord = message({
  ref: string(1),
  frontend: string(2),
  frontendAttrs: stringMap(3),
  exporters: repeated(4, Exporter),
  error: sub(5, RpcStatus),
  createdAt: sub(6, Timestamp),
  completedAt: sub(7, Timestamp),
  exporterResponse: stringMap(9),
  generation: int(12),
  pinned: bool(14),
  numCachedSteps: int(15),
  numTotalSteps: int(16),
  numCompletedSteps: int(17),
  numWarnings: int(19),
});

/** Kinds of `BuildHistoryEvent`. */
export const HISTORY_EVENT = { started: 0, complete: 1, deleted: 2 } as const;
export const BuildHistoryEvent = message({ type: int(1), record: sub(2, BuildHistoryRecord) });

export const UpdateBuildHistoryRequest = message({
  ref: string(1),
  pinned: bool(2),
  delete: bool(3),
  finalize: bool(4),
});

/** grpc.health.v1; a status of 1 says that the service works. */
export const HealthCheckResponse = message({ status: int(1) });
export const SERVING = 1;
