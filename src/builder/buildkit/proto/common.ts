/** Messages that several services share: times, platforms, sources, results of calls. */
import {
  bytes,
  int,
  type MessageOf,
  map,
  message,
  repeated,
  repeatedBytes,
  repeatedString,
  string,
  stringMap,
  sub,
} from './message.ts';

/** google.protobuf.Timestamp */
export const Timestamp = message({ seconds: int(1), nanos: int(2) });

/** Milliseconds since 1970 as a timestamp. */
export function timestamp(ms: number): MessageOf<typeof Timestamp> {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

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

/** pb.SourceInfo: a file that locations point into. */
export const SourceInfo = message({ filename: string(1), data: bytes(2), language: string(4) });

const Position = message({ line: int(1), character: int(2) });

/** pb.Range: from a position in a source to another; lines count from 1. */
export const SourceRange = message({ start: sub(1, Position), end: sub(2, Position) });

/** pb.SourceOp: where something comes from, such as `docker-image://…`. */
export const SourceOp = message({ identifier: string(1), attrs: stringMap(2) });

/** pb.Definition: a graph of operations, each of them marshalled, and what is known of each. */
export const Definition = message({
  def: repeatedBytes(1),
  metadata: map(2, bytes(2)),
});

/** pb.Op, as far as a single source goes. */
export const Op = message({
  inputs: repeated(1, message({ digest: string(1) })),
  source: sub(3, SourceOp),
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
