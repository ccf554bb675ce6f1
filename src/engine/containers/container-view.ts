/** Containers as the API shows them. */
import type { ContainerView, ListContainersOptions } from '../../api/backends.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { containerPredicate, impliesAll } from './container-filter.ts';
import { countsAsRunning, liveStatus } from './container-status.ts';
import { shownLogPath } from './kept-log.ts';
import { linkNames, linkTexts } from './links.ts';

export interface ViewDeps
  extends Pick<ContainerDeps, 'registry' | 'images' | 'files' | 'snapshots'> {
  /** Ids of the running exec sessions of a container. */
  readonly execIdsOf: (containerId: string) => readonly string[];
}

/** One container; sizes are measured only when asked for. */
export async function inspectContainer(
  deps: ViewDeps,
  ref: string,
  options: { readonly size: boolean },
): Promise<ContainerView> {
  const names = linkNames(deps.registry.all());
  const known = { names, stillNames: rememberTags(deps), size: options.size };
  return await toView(deps, deps.registry.resolve(ref), known);
}

/** Newest first. Without `all` only those with a process; `limit` implies `all`. */
export async function listContainers(
  deps: ViewDeps,
  options: ListContainersOptions,
): Promise<readonly ContainerView[]> {
  const accept = containerPredicate(options.filters, {
    resolve: (ref) => deps.registry.resolve(ref),
    hasAncestor: (document, ref) => hasAncestor(deps, document, ref),
  });
  const all = options.all || (options.limit ?? 0) > 0 || impliesAll(options.filters);
  const chosen = deps.registry
    .all()
    .filter((document) => (all || countsAsRunning(document.status)) && accept(document))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const limit = options.limit ?? 0;
  const shown = limit > 0 ? chosen.slice(0, limit) : chosen;
  const names = linkNames(deps.registry.all());
  const known = { names, stillNames: rememberTags(deps), size: options.size };
  return await Promise.all(shown.map((document) => toView(deps, document, known)));
}

/** Most containers of a long list are of a few images: each is looked up once. */
function rememberTags({ images }: ViewDeps): KnownFacts['stillNames'] {
  const found = new Map<string, boolean>();
  return (ref, imageId) => {
    const key = `${ref} ${imageId}`;
    const answer = found.get(key) ?? images.stillNames(ref, imageId);
    found.set(key, answer);
    return answer;
  };
}

function hasAncestor(deps: ViewDeps, document: ContainerDocument, ref: string): boolean {
  const id = ref.startsWith('sha256:') ? ref : `sha256:${ref}`;
  return document.imageId.startsWith(id) || deps.images.stillNames(ref, document.imageId);
}

/** What one request found out for all the containers that it shows. */
interface KnownFacts {
  readonly size: boolean;
  readonly names: ReturnType<typeof linkNames>;
  readonly stillNames: (ref: string, imageId: string) => boolean;
}

async function toView(
  deps: ViewDeps,
  document: ContainerDocument,
  known: KnownFacts,
): Promise<ContainerView> {
  return {
    document,
    links: linkTexts(deps.registry, document),
    linkNames: known.names.get(document.id) ?? [],
    imageStillTagged: known.stillNames(document.imageRef, document.imageId),
    logPath: shownLogPath(deps.files, document),
    nameFiles: deps.files.nameFilePaths(document.id),
    pid: liveStatus(document.status)?.task.init.pid ?? 0,
    execIds: deps.execIdsOf(document.id),
    graphDriver: { name: deps.snapshots.name, data: {} },
    ...(known.size ? await sizes(deps, document) : {}),
  };
}

async function sizes(deps: ViewDeps, document: ContainerDocument) {
  const sizeRwBytes = await deps.snapshots.activeSize(document.id);
  const { parentChainId } = document;
  const below = parentChainId === null ? 0 : await deps.snapshots.stackSize(parentChainId);
  return { sizeRwBytes, sizeRootFsBytes: sizeRwBytes + below };
}
