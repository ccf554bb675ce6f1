/** Output into the engine's own image store, and from there to a registry. */
import type { Digest } from '../../../oci/digest.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import { choosePlatform } from '../../../oci/platform.ts';
import {
  canonicalReference,
  type ImageReference,
  parseReference,
  withDefaultTag,
} from '../../../oci/reference.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { ProgressMessage } from '../../../wire/json-stream.ts';
import type { NewIndex, StoredImage } from '../../build-images.ts';
import type { BuiltImage, BuiltLayer } from '../../solver.ts';
import { parseBoolean } from '../frontend/frontend-options.ts';
import { fetchCredentials } from '../session/credentials.ts';
import type { Export, ExportAnswer, ExportDeps, ExportRun } from './export-deps.ts';
import {
  invalidName,
  nameToPush,
  nothingToExport,
  onePlatformOnly,
  pushFailed,
  unsupportedOption,
} from './export-errors.ts';
import { type ImageSet, imageSet, type SetImage } from './image-set.ts';

/** Stores the image under its names. `push` sends it to the registries of these names, too. */
export function exportImage(deps: ExportDeps, output: Export): Promise<ExportAnswer> {
  return output.progress.step('exporting to image', async (step) => {
    const run = { ...output, step };
    const names = namesOf(output);
    const isPushed = isOn(output, 'push');
    if (isPushed && names.length === 0) throw nameToPush();
    if (isOn(output, 'push-by-digest')) throw unsupportedOption('push-by-digest', 'true');
    const prepared = await step.part('exporting layers', () => prepareSet(deps, output, names));
    try {
      const stored = await store(deps, run, { set: prepared.set, names });
      let pushed: PushedManifest | undefined;
      if (isPushed) for (const name of names) pushed = await push(deps, run, name);
      return answerOf(prepared.set, stored, { names, pushed });
    } finally {
      prepared.release();
    }
  });
}

/**
 * The documents of the output. What an index names is compressed before: its digest is made of theirs, and stands in
 * what is said about them.
 */
async function prepareSet(
  deps: ExportDeps,
  output: Export,
  names: readonly ImageReference[],
): Promise<{ readonly set: ImageSet; release(): void }> {
  const { signal } = output;
  const images = imagesOf(output);
  const attest = output.attest?.(names);
  if (images.length < 2 && attest === undefined) {
    return { set: imageSet(images, undefined), release: () => undefined };
  }
  const releases: (() => void)[] = [];
  const release = () => {
    for (const one of releases) one();
  };
  const compressed = async (layer: BuiltLayer): Promise<BuiltLayer> => {
    const made = await deps.images.compressed(layer.descriptor, signal);
    releases.push(made.release);
    return { ...layer, descriptor: made.descriptor };
  };
  try {
    const works = images.map(async (image) => ({
      ...image,
      layers: await allSettled(image.layers.map(compressed)),
    }));
    return { set: imageSet(await allSettled(works), attest), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** All results; the first failure is thrown when nothing goes on any more. */
async function allSettled<T>(works: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(works);
  return await Promise.all(works);
}

/** The images that are exported, one for each platform. */
export function imagesOf({ refs }: Export): readonly BuiltImage[] {
  const images = refs.flatMap(({ result, index }) => result.images[index] ?? []);
  if (images.length === 0) throw nothingToExport();
  return images;
}

/** The result's only image. */
export function onlyImage({ refs, type }: Export): BuiltImage {
  const [ref] = refs;
  if (refs.length > 1) throw onePlatformOnly(type, refs.length);
  const image = ref?.result.images[ref.index];
  if (image === undefined) throw nothingToExport();
  return image;
}

/** Names that the output asks for, with a tag each. `invalid-argument` for what is no name. */
export function namesOf({ attributes }: Export): readonly ImageReference[] {
  const texts = (attributes.get('name') ?? '').split(',').filter((text) => text !== '');
  return texts.map((text) => {
    const parsed = parseReference(text.trim());
    if (!parsed.ok) throw invalidName(text, parsed.problem);
    return withDefaultTag(parsed.reference);
  });
}

/** A flag of an output: present without a value means true. */
export function isOn({ attributes }: Export, name: string): boolean {
  const value = attributes.get(name);
  if (value === undefined) return false;
  return value === '' || parseBoolean(name, value);
}

/** Names stand for the image of this machine's platform, and for the index when there is one. */
async function store(
  deps: ExportDeps,
  { step }: ExportRun,
  { set, names }: { readonly set: ImageSet; readonly names: readonly ImageReference[] },
): Promise<StoredImage> {
  const platforms = set.images.map(({ image }) => image.platform);
  const own = set.images[choosePlatform(platforms, deps.platform) ?? 0];
  if (own === undefined) throw nothingToExport();
  const { config, layers } = own.image;
  const index = indexBeside(set, own);
  const stored = await deps.images.store({
    config,
    layers: layers.map(({ descriptor }) => descriptor),
    names,
    ...(index === undefined ? {} : { index }),
  });
  await step.part(`writing image ${stored.id}`, () => Promise.resolve());
  if (set.index !== undefined) {
    await step.part(`exporting manifest list ${set.index.descriptor.digest}`, () =>
      Promise.resolve(),
    );
  }
  for (const name of names) {
    await step.part(`naming to ${canonicalReference(name)}`, () => Promise.resolve());
  }
  return stored;
}

function indexBeside({ images, index }: ImageSet, own: SetImage): NewIndex | undefined {
  if (index === undefined) return undefined;
  const others = images.filter((image) => image !== own);
  return {
    bytes: index.bytes,
    documents: new Map([...others.flatMap(({ bytes }) => [...bytes]), ...index.attestations]),
    layers: others.flatMap(({ image }) => image.layers.map(({ descriptor }) => descriptor.digest)),
  };
}

/** What a registry has now: its layers may be compressed where those of the store were not. */
type PushedManifest = Pick<Descriptor, 'digest' | 'size'>;

async function push(
  deps: ExportDeps,
  run: ExportRun,
  name: ImageReference,
): Promise<PushedManifest | undefined> {
  const { progress, signal } = run;
  const shown = canonicalReference(name);
  return await progress.step(`pushing ${shown}`, async (step) => {
    const session = await run.session();
    const credentials = await fetchCredentials(session, name.domain, signal);
    let pushed: PushedManifest | undefined;
    try {
      for await (const line of deps.push(name, credentials, signal)) {
        const { id, status = '', progressDetail } = line;
        pushed = pushedManifest(line) ?? pushed;
        if (id === undefined) continue;
        step.status(`${status} ${id}`, progressDetail?.current ?? 0, progressDetail?.total ?? 0);
      }
    } catch (error) {
      throw pushFailed(shown, messageOf(error), error);
    }
    return pushed;
  });
}

/** The line of a push that says what the tag names now. */
function pushedManifest({ aux }: ProgressMessage): PushedManifest | undefined {
  const { Digest: digest, Size: size } = (aux ?? {}) as { Digest?: Digest; Size?: number };
  return digest === undefined || size === undefined ? undefined : { digest, size };
}

/**
 * The image's id is what commands of the engine take. Of what went to a registry, clients want the digest that the
 * registry knows.
 */
function answerOf(
  { index }: ImageSet,
  { id, manifest }: StoredImage,
  given: {
    readonly names: readonly ImageReference[];
    readonly pushed: PushedManifest | undefined;
  },
): ExportAnswer {
  const { names, pushed } = given;
  const top = index?.descriptor ?? manifest;
  const { mediaType } = top;
  const { digest, size } = pushed ?? top;
  const descriptor = JSON.stringify({ mediaType, digest, size });
  return new Map([
    ['containerimage.digest', pushed === undefined ? id : digest],
    ['containerimage.config.digest', id],
    ['containerimage.descriptor', Buffer.from(descriptor).toString('base64')],
    ...(names.length === 0
      ? []
      : [['image.name', names.map(canonicalReference).join(',')] as const]),
  ]);
}
