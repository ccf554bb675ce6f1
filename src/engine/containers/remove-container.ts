/** `DELETE /containers/{id}`. */
import type { ContainerId } from '../../shared/ids.ts';
import { cancelRestart } from './cancel-restart.ts';
import { type ContainerDeps, reportCleanup } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { publishContainerEvent } from './container-events.ts';
import type { EndOfRun } from './container-signals.ts';
import {
  countsAsRunning,
  isRestarting,
  lastExit,
  liveStatus,
  removeRefusal,
} from './container-status.ts';
import { keptLog } from './kept-log.ts';
import { killAndSettle } from './kill-container.ts';

/** Removes a container; with `force` a running one is killed first. */
export async function removeContainer(
  deps: ContainerDeps,
  ref: string,
  options: { readonly force: boolean; readonly volumes: boolean },
): Promise<void> {
  const { id } = deps.registry.resolve(ref);
  const refusal = removeRefusal(deps.registry.get(id));
  if (refusal !== undefined && !options.force) throw refusal;
  await killForRemoval(deps, id);
  await deps.locks.run(id, async () => {
    const document = deps.registry.tryGet(id);
    if (document === undefined) return;
    if (options.force) deps.restarts.cancel(id);
    const late = removeRefusal(document);
    if (late !== undefined && !canBeRemoved(document, options)) throw late;
    const end = { exitCode: lastExit(document.status)?.exitCode ?? 0, error: '' };
    await removeLocked(deps, id, { volumes: options.volumes, end });
  });
}

/** Ends the process, and a start by the restart policy that is under way, for good. */
async function killForRemoval(deps: ContainerDeps, id: ContainerId): Promise<void> {
  const document = await deps.registry.amend(id, (current) =>
    countsAsRunning(current.status) ? { ...current, hasBeenManuallyStopped: true } : current,
  );
  if (isRestarting(document.status)) await cancelRestart(deps, id);
  const live = liveStatus(deps.registry.tryGet(id)?.status ?? document.status);
  if (live !== undefined) await killAndSettle(deps, id, live.task);
}

function canBeRemoved({ status }: ContainerDocument, options: { readonly force: boolean }) {
  return status.state === 'removing' || (status.state === 'restarting' && options.force);
}

/**
 * Removes everything of a container that has no process; the caller holds its lock. Every step is
 * idempotent: a removal that a crash interrupted is finished by calling this again.
 */
export async function removeLocked(
  deps: ContainerDeps,
  id: ContainerId,
  options: { readonly volumes: boolean; readonly end: EndOfRun },
): Promise<void> {
  const document = deps.registry.get(id);
  const volumes = options.volumes || removesVolumes(document);
  if (document.status.state !== 'removing' || volumes !== removesVolumes(document)) {
    const last = lastExit(document.status);
    const status = { state: 'removing', ...(last === undefined ? {} : { last }), volumes } as const;
    // A full disk must not keep what would make room on it.
    await deps.registry.record(id, (current) => ({ ...current, status }));
  }
  deps.failpoints.hit('container-remove:after-intent');
  await deps.sandboxes.remove(id);
  deps.failpoints.hit('container-remove:after-sandbox');
  await deps.snapshots.removeActive(id);
  deps.failpoints.hit('container-remove:after-snapshot');
  if (volumes) await removeOwnVolumes(deps, document);
  deps.failpoints.hit('container-remove:after-volumes');
  await letGoOfLog(deps, document);
  await deps.registry.remove(id);
  deps.failpoints.hit('container-remove:after-document');
  deps.tasks.remove(id).catch(reportCleanup(deps, id));
  deps.images.releaseImage(document.imageId).catch(reportCleanup(deps, id));
  publishContainerEvent(deps, document, { action: 'destroy' });
  deps.signals.notify(id, 'removed', options.end);
}

/** The journal of the machine outlives the container, so it is given everything first. */
async function letGoOfLog(deps: ContainerDeps, document: ContainerDocument): Promise<void> {
  const log = keptLog(deps.files, document);
  if (log.policy.mirror?.kind === 'journal') await deps.logKeeper.end(log);
  await deps.logKeeper.drop(document.id);
}

/** True when a removal that has begun is one with volumes. */
function removesVolumes({ status }: ContainerDocument): boolean {
  return status.state === 'removing' && status.volumes === true;
}

/** Before the document goes: what a crash leaves of them is removed with the rest of the container. */
async function removeOwnVolumes(
  deps: ContainerDeps,
  { id, mounts }: ContainerDocument,
): Promise<void> {
  for (const { anonymous, name } of mounts) {
    if (anonymous) await deps.volumes.removeUnused(name, id).catch(reportCleanup(deps, id));
  }
}
