/**
 * Getting a control group that is ours to divide. In version 2 a group that passes controllers on to sub-groups holds
 * no processes itself, so everything of this daemon that is no container lives in a sub-group.
 */
import { join } from 'node:path';
import type { CgroupFacts } from '../../handshake/host-facts.ts';
import type { Logger } from '../../shared/logger.ts';
import type { CgroupFacts as CgroupPlace } from '../../sys/cgroup/cgroup-facts.ts';
import {
  type CgroupFiles,
  disableControllers,
  enableControllers,
  groupMembers,
  joinGroup,
  removeGroupTree,
} from '../../sys/cgroup/cgroup-files.ts';

import { isMissing } from '../../sys/system-errors.ts';

/** What claiming works with. */
export interface ClaimParts {
  readonly files: CgroupFiles;
  /** Looks at the mounts and at the own group. */
  readonly detect: () => Promise<CgroupPlace>;
  /** Asks the service manager for a group; false when there is none. */
  readonly moveToOwnScope: () => Promise<boolean>;
  /** Asks the service manager to put us back into a scope of an earlier daemon. */
  readonly rejoinScope: (unit: string, subgroup: string) => Promise<boolean>;
  readonly pid: number;
  /** A service manager keeps the groups of this machine: one that it did not delegate to us alone is none of ours. */
  readonly isManaged: boolean;
  readonly logger: Logger;
}

/** The sub-group of host, engine and everything else that is no container. */
const DAEMON_GROUP = 'daemon';
const CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'pids'];
/** A process may start another between our look and our move. */
const MOST_ROUNDS = 20;
/** What the kernel shows in place of a pid that our pid namespace does not have. */
const INVISIBLE = 0;

/** Getting, finding again and giving back the group of one daemon. */
export interface GroupKeeper {
  claim(): Promise<CgroupFacts>;
  rejoin(earlier: CgroupFacts): Promise<CgroupFacts>;
  release(facts: CgroupFacts): Promise<void>;
}

/** The keeper that works with `parts`. */
export function groupKeeper(parts: ClaimParts): GroupKeeper {
  return {
    claim: () => claimGroup(parts),
    rejoin: (earlier) => rejoinGroup(parts, earlier),
    release: (facts) => releaseGroup(parts.files, facts),
  };
}

/** Takes a group into possession, or tells why there is none. Nothing here keeps the daemon from starting. */
async function claimGroup(parts: ClaimParts): Promise<CgroupFacts> {
  const place = await parts.detect();
  const facts = {
    layout: place.layout,
    ...(place.v2MountPoint === undefined ? {} : { unifiedMount: place.v2MountPoint }),
  };
  if (place.layout !== 'v2') {
    return { ...facts, lack: 'this machine does not use version 2 control groups alone' };
  }
  try {
    const own = await claim(parts, place);
    if (own !== undefined) return { ...facts, own };
  } catch (error) {
    parts.logger.warn('the control group cannot be divided', { error });
  }
  return { ...facts, lack: 'no control group is delegated to this user' };
}

/** Goes back to where an earlier daemon lived, so that what we start can be put into its containers' groups. */
async function rejoinGroup(parts: ClaimParts, earlier: CgroupFacts): Promise<CgroupFacts> {
  const { own, unifiedMount } = earlier;
  if (own === undefined || unifiedMount === undefined) return earlier;
  const unit = own.split('/').at(-1) ?? '';
  const direct = joinGroup(parts.files, join(unifiedMount, own, DAEMON_GROUP), parts.pid);
  const joined = await direct.then(
    () => true,
    () => parts.rejoinScope(unit, `/${DAEMON_GROUP}`),
  );
  if (joined) return earlier;
  parts.logger.warn(`cannot return to the control group ${own}: new containers have no limits`);
  const { own: _, ...rest } = earlier;
  return { ...rest, lack: 'the daemon was started again outside of its control group' };
}

/** Leaves the group as it was found. Containers must be gone. */
async function releaseGroup(files: CgroupFiles, facts: CgroupFacts): Promise<void> {
  const { own, unifiedMount } = facts;
  if (own === undefined || unifiedMount === undefined) return;
  const dir = join(unifiedMount, own);
  for (const name of await files.subgroups(dir)) {
    if (name !== DAEMON_GROUP) await removeGroupTree(files, join(dir, name));
  }
  await disableControllers(files, dir);
  const daemon = join(dir, DAEMON_GROUP);
  await moveAll(files, daemon, dir);
  await files.removeGroup(daemon);
}

/** The path of the claimed group; undefined without one. */
async function claim(parts: ClaimParts, place: CgroupPlace): Promise<string | undefined> {
  const { files, pid } = parts;
  const isOurs = place.delegated && isAlone(await groupMembers(files, place.ownDir ?? ''), pid);
  if (isOurs) return await divide(files, place);
  // In company, or not allowed: a session. Its processes are none of our business where somebody gives us a group.
  if (await parts.moveToOwnScope()) return await divide(files, await parts.detect());
  return place.delegated && !parts.isManaged ? await divide(files, place) : undefined;
}

function isAlone(members: readonly number[], pid: number): boolean {
  return members.every((member) => member === pid);
}

/** Moves everybody in the group into a sub-group and passes its controllers on. */
async function divide(files: CgroupFiles, place: CgroupPlace): Promise<string | undefined> {
  const { ownDir, v2MountPoint } = place;
  if (ownDir === undefined || v2MountPoint === undefined || !place.delegated) return undefined;
  const daemon = join(ownDir, DAEMON_GROUP);
  await files.makeGroup(daemon);
  if (!(await moveAll(files, ownDir, daemon))) {
    await moveAll(files, daemon, ownDir);
    await files.removeGroup(daemon);
    return undefined;
  }
  await enableControllers(files, ownDir, CONTROLLERS);
  return `/${ownDir.slice(v2MountPoint.length).replace(/^\/+/, '')}`;
}

/** Moves all processes; false when some cannot be moved, such as those of pid namespaces above ours. */
async function moveAll(files: CgroupFiles, from: string, to: string): Promise<boolean> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const members = await groupMembers(files, from);
    if (members.length === 0) return true;
    if (members.includes(INVISIBLE)) return false;
    // One that has ended in the meantime cannot be moved, and need not be.
    for (const pid of members) await joinGroup(files, to, pid).catch(ignoreEnded);
  }
  return false;
}

function ignoreEnded(error: unknown): void {
  if (!isMissing(error)) throw error;
}
