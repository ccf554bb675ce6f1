/** `POST /commit`: an image of what a container changed. */
import type { Digest } from '../../oci/digest.ts';
import type { ImageRunConfig } from '../../oci/image-spec.ts';
import { familiarReference } from '../../oci/reference.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { findEngineError } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerConfig } from '../../wire/container-config.ts';
import { applyChanges } from '../images/apply-changes.ts';
import { toRunConfig } from '../images/run-config.ts';
import { type TagTarget, tagReference } from '../images/tag-image.ts';
import { type ContainerDeps, reportCleanup } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { isOnItsWayOut } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { mergeImageConfig } from './merge-image-config.ts';
import { mountedPlaces } from './mounted-places.ts';
import { pauseLocked, unpauseLocked } from './pause-container.ts';

export interface CommitRequest {
  readonly ref: string;
  /** Undefined for an image without a name. */
  readonly target: TagTarget | undefined;
  readonly comment: string;
  readonly author: string;
  /** Freeze a running container while its files are read. */
  readonly pause: boolean;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Replaces the container's own; what it leaves open is taken from there. */
  readonly config: ContainerConfig | undefined;
}

/** Resolves to the new image's id. On failure nothing remains, and the container is as it was. */
export async function commitContainer(
  deps: ContainerDeps,
  request: CommitRequest,
): Promise<Digest> {
  const { id } = deps.registry.resolve(request.ref);
  const reference = request.target === undefined ? undefined : tagReference(request.target);
  return await deps.locks.run(id, async () => {
    const document = deps.registry.get(id);
    const { state } = document.status;
    if (state === 'removing' || state === 'dead') throw isOnItsWayOut('commit', id, state);
    const config = committedConfig(document, request);
    await using undo = new CleanupStack(reportCleanup(deps, id));
    if (request.pause && state === 'running' && (await pausedUnlessGone(deps, id))) {
      undo.defer(() => unpauseLocked(deps, id));
    }
    deps.failpoints.hit('image-commit:after-pause');
    const imageId = await deps.images.commit({
      parentId: document.imageId,
      layerTar: deps.snapshots.diff(id, mountedPlaces(document)).layerTar(),
      config,
      step: {
        createdBy: (document.config.Cmd ?? []).join(' '),
        author: request.author,
        comment: request.comment,
      },
      reference,
    });
    deps.failpoints.hit('image-commit:after-image');
    publishContainerEvent(deps, document, {
      action: 'commit',
      attributes: {
        comment: request.comment,
        imageID: imageId,
        imageRef: reference === undefined ? '' : familiarReference(reference),
      },
    });
    return imageId;
  });
}

/** False when the container's process has ended before its state says so: nothing writes any more then. */
async function pausedUnlessGone(deps: ContainerDeps, id: ContainerId): Promise<boolean> {
  try {
    await pauseLocked(deps, id, true);
    return true;
  } catch (error) {
    if (findEngineError(error)?.kind === 'conflict') return false;
    throw error;
  }
}

function committedConfig(document: ContainerDocument, request: CommitRequest): ImageRunConfig {
  const changed = applyChanges(request.config ?? document.config, request.changes);
  return toRunConfig(mergeImageConfig(changed, toRunConfig(document.config)));
}
