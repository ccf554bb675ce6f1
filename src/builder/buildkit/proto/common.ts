/** Messages that several services share: times, platforms, sources, results of calls. */
import {
  bytes,
  int,
  message,
  repeated,
  repeatedString,
  string,
  stringMap,
  sub,
} from './message.ts';

/** google.protobuf.Any */
const Any = message({ typeUrl: string(1), value: bytes(2) });

/** google.rpc.Status: how a call ended. */
export const RpcStatus = message({ code: int(1), message: string(2), details: repeated(3, Any) });

/** pb.Platform */
export const PlatformMessage = message({
  architecture: string(1),
  os: string(2),
  variant: string(3),
  osVersion: string(4),
  osFeatures: repeatedString(5),
});

const BuildkitVersion = message({
  package: string(1),
  version: string(2),
  revision: string(3),
});

/** moby.buildkit.v1.types.BuildkitVersion */
export const VersionMessage = BuildkitVersion;

/** moby.buildkit.v1.types.WorkerRecord */
export const WorkerRecord = message({
  id: string(1),
  labels: stringMap(2),
  platforms: repeated(3, PlatformMessage),
  buildkitVersion: sub(5, BuildkitVersion),
});
