/** Makes an image of a layer and of the image that the layer stands on, if any. */
import type { Digest } from '../../oci/digest.ts';
import type { ImageConfig, ImageHistory, ImageRunConfig } from '../../oci/image-spec.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarReference, type ImageReference } from '../../oci/reference.ts';
import { digestsOf } from './collect-garbage.ts';
import type { ImageDeps } from './image-deps.ts';
import { noSuchImage } from './image-errors.ts';
import { publishImageEvent } from './image-events.ts';
import type { ImageRecord } from './image-store.ts';
import { abandonImage } from './materialize-image.ts';
import { type PackedLayer, packLayer } from './pack-layer.ts';
import { storeMadeImage } from './store-made-image.ts';

/** What a new image consists of. */
export interface ImageCommit {
  /** Image below; undefined for one that stands on nothing. */
  readonly parentId: Digest | undefined;
  /** Of an image that stands on nothing; this machine's when absent. */
  readonly platform?: Platform;
  /** What the layer has more than the image below, as a tar stream. Without entries no layer is added. */
  readonly layerTar: AsyncIterable<Uint8Array>;
  readonly config: ImageRunConfig;
  /** For the history. */
  readonly step: { readonly createdBy: string; readonly author: string; readonly comment: string };
  /** Its name; undefined for none. */
  readonly reference: ImageReference | undefined;
}

/** `not-found` when the image below is gone. On failure nothing remains. */
export async function commitImage(deps: ImageDeps, commit: ImageCommit): Promise<ImageRecord> {
  const { parentId, reference } = commit;
  const parent = parentId === undefined ? undefined : deps.store.get(parentId);
  if (parentId !== undefined && parent === undefined) throw noSuchImage(parentId);
  const releaseParent = await deps.leases.hold(parent === undefined ? [] : digestsOf(parent));
  let layer: PackedLayer | undefined;
  const release = () => {
    layer?.release();
    releaseParent();
  };
  try {
    layer = await packLayer(deps, commit.layerTar, parent?.chainIds.at(-1));
    const record = await storeImage(deps, commit, { parent, layer });
    release();
    if (reference !== undefined) {
      const name = familiarReference(reference);
      publishImageEvent(deps, 'tag', { record, actorId: record.document.id, name });
    }
    return record;
  } catch (error) {
    await abandonImage(deps, release);
    throw error;
  }
}

interface CommitParts {
  readonly parent: ImageRecord | undefined;
  readonly layer: PackedLayer | undefined;
}

async function storeImage(
  deps: ImageDeps,
  commit: ImageCommit,
  parts: CommitParts,
): Promise<ImageRecord> {
  const { parent, layer } = parts;
  return await storeMadeImage(deps, {
    config: newConfig(deps, commit, parts),
    layers: [
      ...(parent?.manifest.layers ?? []),
      ...(layer === undefined ? [] : [layer.descriptor]),
    ],
    names: commit.reference === undefined ? [] : [commit.reference],
    parentId: commit.parentId,
  });
}

function newConfig(deps: ImageDeps, commit: ImageCommit, parts: CommitParts): ImageConfig {
  const { parent, layer } = parts;
  const { author, comment, createdBy } = commit.step;
  const created = deps.clock.nowIso();
  const below = parent?.config ?? newBase(commit.platform ?? deps.platform);
  const step: ImageHistory = {
    created,
    ...(createdBy === '' ? {} : { created_by: createdBy }),
    ...(author === '' ? {} : { author }),
    ...(comment === '' ? {} : { comment }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  const { architecture, os, variant, 'os.version': osVersion } = below;
  const diffIds = below.rootfs.diff_ids;
  return {
    created,
    ...(author === '' ? {} : { author }),
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
    config: commit.config,
    rootfs: {
      type: 'layers',
      diff_ids: layer === undefined ? diffIds : [...diffIds, layer.diffId],
    },
    // An image without a history has had one step for each layer.
    history: [...(below.history ?? diffIds.map((): ImageHistory => ({}))), step],
  };
}

/** What an image without one below it stands on. */
function newBase(platform: Platform): ImageConfig {
  return { ...platform, rootfs: { type: 'layers', diff_ids: [] }, history: [] };
}
