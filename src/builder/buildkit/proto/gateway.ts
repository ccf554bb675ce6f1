/** moby.buildkit.v1.frontend.LLBBridge: what clients ask while one of their builds goes on. */
import {
  Definition,
  RpcStatus,
  SourceInfo,
  SourceOp,
  SourceRange,
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
  string,
  stringMap,
  sub,
} from './message.ts';

const ApiCapability = message({ id: string(1), enabled: bool(2) });

export const PongResponse = message({
  frontendCapabilities: repeated(1, ApiCapability),
  graphCapabilities: repeated(2, ApiCapability),
  workers: repeated(3, WorkerRecord),
});

/** A result by the id that we gave it. Clients hand the definition back when they build upon it. */
const Ref = message({ id: string(1), definition: sub(2, Definition) });
const RefMap = message({ refs: map(1, sub(2, Ref)) });

/** One result (`ref`) or one for each platform (`refs`). */
export const GatewayResult = message({
  ref: sub(3, Ref),
  refs: sub(4, RefMap),
  metadata: map(10, bytes(2)),
});

export const ReturnRequest = message({ result: sub(1, GatewayResult), error: sub(2, RpcStatus) });

export const InputsResponse = message({ definitions: map(1, sub(2, Definition)) });

export const GatewaySolveRequest = message({
  definition: sub(1, Definition),
  frontend: string(2),
  frontendOpt: stringMap(3),
  frontendInputs: map(13, sub(2, Definition)),
});
export const GatewaySolveResponse = message({ ref: string(1), result: sub(3, GatewayResult) });

export const EvaluateRequest = message({ ref: string(1) });

export const WarnRequest = message({
  digest: string(1),
  level: int(2),
  short: bytes(3),
  detail: repeatedBytes(4),
  url: string(5),
  info: sub(6, SourceInfo),
  ranges: repeated(7, SourceRange),
});

export const ResolveSourceMetaRequest = message({ source: sub(1, SourceOp) });
export const ResolveSourceMetaResponse = message({ source: sub(1, SourceOp) });
