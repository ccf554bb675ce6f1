/**
 * Containers in which one user of their own is the user who runs the engine (`--userns=keep-id`). They have a user
 * namespace of their own inside the engine's: that user stands where the engine has root, which is the caller to the
 * rest of the machine, and those before it make room.
 */

/** The user and group of the container that are the caller's. */
export interface KeptId {
  readonly uid: number;
  readonly gid: number;
}

/** `size` ids from `containerID` on are `hostID`… of the engine (runtime-spec, `linux.uidMappings`). */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** The map that keeps `kept`, when the engine has the ids from 0 to `count` - 1. */
export function keepingMap(kept: number, count: number): readonly IdMapping[] {
  const before = { containerID: 0, hostID: 1, size: kept };
  const own = { containerID: kept, hostID: 0, size: 1 };
  const after = { containerID: kept + 1, hostID: kept + 1, size: count - kept - 1 };
  return [before, own, after].filter(({ size }) => size > 0);
}

/** The engine's id for one of the container's. */
export function toEngineId(kept: number, id: number): number {
  if (id === kept) return 0;
  return id < kept ? id + 1 : id;
}

/** The container's id for one of the engine's: the other way round. */
export function toContainerId(kept: number, id: number): number {
  if (id === 0) return kept;
  return id <= kept ? id - 1 : id;
}
