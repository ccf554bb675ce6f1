/** `DELETE /containers/{parent}/{alias}?link=1`. */
import type { ContainerDeps } from './container-deps.ts';
import { liveStatus } from './container-status.ts';
import { findLink } from './links.ts';
import { writeNameFiles } from './name-file-mounts.ts';

/** Takes a link away; both containers stay. `not-found` when there is none of that name. */
export async function removeLink(deps: ContainerDeps, ref: string): Promise<void> {
  const { parent, link } = findLink(deps.registry, ref);
  await deps.locks.run(parent.id, async () => {
    const after = await deps.registry.update(parent.id, (document) => ({
      ...document,
      links: (document.links ?? []).filter(({ alias }) => alias !== link.alias),
    }));
    const live = liveStatus(after.status);
    if (live !== undefined) await writeNameFiles(deps, after, live.network);
  });
}
