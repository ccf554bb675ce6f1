/** Output into the engine's own image store, and from there to a registry. */
import type { Digest } from '../../../oci/digest.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import {
  canonicalReference,
  type ImageReference,
  parseReference,
  withDefaultTag,
} from '../../../oci/reference.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { ProgressMessage } from '../../../wire/json-stream.ts';
import type { StoredImage } from '../../build-images.ts';
import type { BuiltImage } from '../../solver.ts';
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

/** Stores the image under its names. `push` sends it to the registries of these names, too. */
export function exportImage(deps: ExportDeps, output: Export): Promise<ExportAnswer> {
  return output.progress.step('exporting to image', async (step) => {
    const run = { ...output, step };
    const image = onlyImage(output);
    const names = namesOf(output);
    const isPushed = isOn(output, 'push');
    if (isPushed && names.length === 0) throw nameToPush();
    if (isOn(output, 'push-by-digest')) throw unsupportedOption('push-by-digest', 'true');
    const stored = await store(deps, run, { image, names });
    let pushed: PushedManifest | undefined;
    if (isPushed) for (const name of names) pushed = await push(deps, run, name);
    return answerOf(stored, { names, pushed });
  });
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

async function store(
  deps: ExportDeps,
  { step }: ExportRun,
  { image, names }: { readonly image: BuiltImage; readonly names: readonly ImageReference[] },
): Promise<StoredImage> {
  const layers = image.layers.map(({ descriptor }) => descriptor);
  const stored = await step.part('exporting layers', () =>
    deps.images.store({ config: image.config, layers, names }),
  );
  await step.part(`writing image ${stored.id}`, () => Promise.resolve());
  for (const name of names) {
    await step.part(`naming to ${canonicalReference(name)}`, () => Promise.resolve());
  }
  return stored;
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
  { id, manifest }: StoredImage,
  given: {
    readonly names: readonly ImageReference[];
    readonly pushed: PushedManifest | undefined;
  },
): ExportAnswer {
  const { names, pushed } = given;
  const { mediaType } = manifest;
  const { digest, size } = pushed ?? manifest;
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
