/** `POST /containers/{id}/rename`. */
import type { ContainerDeps } from './container-deps.ts';
import { emptyName, sameName } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { parseContainerName } from './container-names.ts';

/** Gives the container another name; the old one is free afterwards. */
export async function renameContainer(
  deps: ContainerDeps,
  ref: string,
  newName: string,
): Promise<void> {
  if (newName === '' || newName === '/') throw emptyName();
  const { id } = deps.registry.resolve(ref);
  const name = parseContainerName(newName);
  await deps.locks.run(id, async () => {
    const before = deps.registry.get(id);
    if (before.name === name) throw sameName();
    deps.registry.reserveName(name, id);
    try {
      const after = await deps.registry.update(id, (document) => ({ ...document, name }));
      deps.failpoints.hit('container-rename:after-document');
      deps.registry.releaseName(before.name, id);
      await deps.sandboxes.rename(id, { before: before.name, after: name });
      const attributes = { oldName: `/${before.name}` };
      publishContainerEvent(deps, after, { action: 'rename', attributes });
    } catch (error) {
      deps.registry.releaseName(name, id);
      throw error;
    }
  });
}
