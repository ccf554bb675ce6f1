/** `docker import`: an image of one layer from an archive of files. */
import type { ImportRequest } from '../../api/image-backend.ts';
import type { Digest } from '../../oci/digest.ts';
import { kindOf, wrapError } from '../../shared/errors.ts';
import { applyChanges } from './apply-changes.ts';
import { commitImage } from './commit-image.ts';
import type { ImageDeps } from './image-deps.ts';
import { publishImageEvent } from './image-events.ts';
import { toPlatform } from './platform-choice.ts';
import { toRunConfig } from './run-config.ts';
import { tagReference } from './tag-image.ts';

/** Resolves to the new image's id. `invalid-argument` for what is no archive. On failure nothing remains. */
export async function importImage(
  deps: ImageDeps,
  request: ImportRequest,
  archive: AsyncIterable<Uint8Array>,
): Promise<Digest> {
  const reference = request.target === undefined ? undefined : tagReference(request.target);
  const config = toRunConfig(applyChanges({}, request.changes));
  const platform = toPlatform(request.platform, deps.platform);
  try {
    const record = await commitImage(deps, {
      parentId: undefined,
      platform,
      layerTar: deps.archives.decompress(archive),
      config,
      step: { createdBy: '', author: '', comment: request.message || 'Imported from -' },
      reference,
    });
    const { id } = record.document;
    publishImageEvent(deps, 'import', { record, actorId: id, name: id });
    return id;
  } catch (error) {
    throw kindOf(error) === 'corrupt' ? wrapError(error, 'import', 'invalid-argument') : error;
  }
}
