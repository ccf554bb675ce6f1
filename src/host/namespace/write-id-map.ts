/** Writing the maps of a new user namespace, from outside of it. */
import { writeFile } from 'node:fs/promises';
import type { IdMap } from '../../handshake/host-facts.ts';
import { messageOf } from '../../shared/errors.ts';
import { run } from '../../sys/exec/run.ts';
import { formatIdMap, type IdMapEntry, idMapArguments } from '../../sys/idmap/id-map.ts';
import { idMapRefused } from '../host-errors.ts';

const TIMEOUT_MS = 10_000;

/**
 * Maps the ids of the user namespace of `pid`; can be done once. Root and one-id maps are written directly, others
 * by the set-uid helpers, which check them against the grants. `unavailable` with the reason when refused.
 */
export async function writeIdMap(pid: number, idMap: IdMap, isRoot: boolean): Promise<void> {
  if (idMap.mode === 'single' || isRoot) return writeDirectly(pid, idMap);
  await Promise.all([
    runHelper('newuidmap', pid, idMap.uids),
    runHelper('newgidmap', pid, idMap.gids),
  ]);
}

async function writeDirectly(pid: number, idMap: IdMap): Promise<void> {
  try {
    // Without privilege a group map is accepted only once setgroups(2) is denied for good (user_namespaces(7)).
    if (idMap.mode === 'single') await writeFile(`/proc/${pid}/setgroups`, 'deny');
    await writeFile(`/proc/${pid}/uid_map`, formatIdMap(idMap.uids));
    await writeFile(`/proc/${pid}/gid_map`, formatIdMap(idMap.gids));
  } catch (error) {
    throw idMapRefused(messageOf(error), error);
  }
}

async function runHelper(
  file: 'newuidmap' | 'newgidmap',
  pid: number,
  entries: readonly IdMapEntry[],
): Promise<void> {
  const completed = await run(
    { file, args: [String(pid), ...idMapArguments(entries)] },
    { timeoutMs: TIMEOUT_MS },
  );
  if (completed.exitCode !== 0) {
    throw idMapRefused(`${file}: ${completed.stderr.trim() || `exit code ${completed.exitCode}`}`);
  }
}
