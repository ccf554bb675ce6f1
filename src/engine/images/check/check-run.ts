/** What the parts of one check of the storage share. */
import type { StorageFinding } from '../../../handshake/storage-report.ts';
import type { Digest } from '../../../oci/digest.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { ImageDeps } from '../image-deps.ts';
import type { ImageDocument } from '../image-document.ts';
import { toFamiliar } from '../to-image-view.ts';

/** How thorough the check is, and whether it repairs what it finds. */
export interface CheckOptions {
  readonly repairs: boolean;
  /** Contents of unpacked files are compared as well. */
  readonly deep: boolean;
}

export interface CheckRun extends CheckOptions {
  readonly deps: ImageDeps;
  readonly signal: AbortSignal;
  /** Whether blobs are whole, by digest: each is read once, however many images have it. */
  readonly blobs: Map<Digest, boolean>;
  /** The same for layers, by chainID. */
  readonly layers: Map<Digest, boolean>;
}

/** How people call the image: its tags, else its digests in registries, else its id. */
export function namesOfImage(document: ImageDocument): string[] {
  const names = document.tags.length > 0 ? document.tags : document.repoDigests;
  return names.length > 0 ? names.map(toFamiliar) : [document.id];
}

/** What the user types to have the image again. */
export function cureFor(document: ImageDocument): string {
  const [tag] = document.tags;
  const [digest] = document.repoDigests;
  const name = digest === undefined ? undefined : (tag ?? digest);
  if (name !== undefined) return `docker pull ${toFamiliar(name)}`;
  return 'load, import or build the image again: it is from no registry';
}

/** A finding of which it depends on `repair` how it ends. Errors become the reason why it was not repaired. */
export async function settleFinding(
  run: CheckRun,
  finding: Omit<StorageFinding, 'outcome' | 'cure'>,
  repair: { readonly act: () => Promise<void>; readonly cure: string },
): Promise<StorageFinding> {
  const { cure } = repair;
  if (!run.repairs)
    return { ...finding, outcome: 'not-repaired', cure: 'repair it: wherry doctor --storage' };
  try {
    await repair.act();
    return { ...finding, outcome: 'repaired' };
  } catch (error) {
    const problem = `${finding.problem}; it could not be repaired: ${messageOf(error)}`;
    return { ...finding, problem, outcome: 'not-repaired', cure };
  }
}
