/** Gets the images that a build is made from, shown as BuildKit shows it. */
import { digestOf } from '../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { canonicalReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { messageOf } from '../../shared/errors.ts';
import type { BaseImage, ResolveImageRequest } from '../build-images.ts';
import type { Vertex } from '../build-progress.ts';
import { invalidContext } from '../builder-errors.ts';
import type { BuildRun } from './build-run.ts';

/** Results of other builds come under their ids; there is nothing to be told of them. */
const IMAGE_ID = /^sha256:[0-9a-f]{64}$/;

/** Gets an image for this build, which holds it. To be called once for each reference and platform. */
export async function resolveBase(
  run: BuildRun,
  ref: string,
  platform: Platform,
): Promise<BaseImage> {
  const parsed = parseReference(ref);
  if (!parsed.ok) throw invalidContext(`failed to parse stage name "${ref}": ${parsed.problem}`);
  const { credentialsFor } = run.request;
  const isId = IMAGE_ID.test(ref);
  // An id is nothing to ask a registry for, also with --pull.
  const pull = isId ? 'never' : run.request.pull;
  const request = { ref, platform, pull, credentialsFor };
  const name = canonicalReference(withDefaultTag(parsed.reference));
  const image = isId
    ? await run.deps.images.resolve({ ...request, onProgress: () => undefined }, run.signal)
    : await shown(run, request, metadataVertex(run, name, platform));
  run.hold(() => image.release());
  const canonical = parseReference(image.canonicalName);
  if (canonical.ok && canonical.reference.digest !== undefined) {
    run.noteMaterial({ reference: canonical.reference, digest: canonical.reference.digest });
  }
  return image;
}

/** How the FROM of that image is shown: with the digest that its name led to. */
export function shownBase(ref: string, { canonicalName }: BaseImage): string {
  return IMAGE_ID.test(ref) ? ref : canonicalName;
}

function metadataVertex({ request }: BuildRun, name: string, platform: Platform): Vertex {
  const place = request.platforms.length > 1 ? `${formatPlatform(platform)} internal` : 'internal';
  const digest = digestOf(`metadata ${name} ${formatPlatform(platform)}`);
  return { digest, name: `[${place}] load metadata for ${name}`, inputs: [] };
}

async function shown(
  { deps, progress, signal }: BuildRun,
  request: Omit<ResolveImageRequest, 'onProgress'>,
  vertex: Vertex,
): Promise<BaseImage> {
  const startedAt = deps.clock.nowIso();
  progress.vertex({ kind: 'started', vertex, at: startedAt });
  const end = (error?: string) =>
    progress.vertex({
      ...{ kind: 'completed', vertex, startedAt, at: deps.clock.nowIso(), cached: false },
      ...(error === undefined ? {} : { error }),
    });
  const onProgress: ResolveImageRequest['onProgress'] = ({ id, status, progressDetail }) => {
    if (id === undefined || status === undefined) return;
    const { current = 0, total = 0 } = progressDetail ?? {};
    const text = `${status.toLowerCase()} ${id}`;
    progress.status({
      ...{ vertex: vertex.digest, id: text, current, total, startedAt },
      completedAt: undefined,
    });
  };
  try {
    const image = await deps.images.resolve({ ...request, onProgress }, signal);
    end();
    return image;
  } catch (error) {
    end(messageOf(error));
    throw error;
  }
}
