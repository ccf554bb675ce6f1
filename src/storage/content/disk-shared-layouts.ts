/** Shared OCI image layouts on disk: `oci-layout`, `index.json`, `blobs`; also as the `content` of another wherry. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { decodeIndex, decodeJson } from '../../oci/decode-image.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import { OCI_MANIFEST } from '../../oci/media-types.ts';
import { messageOf } from '../../shared/errors.ts';
import { CONTENT_NAMES, DATA_NAMES } from '../../sys/filenames.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { SharedEntry, SharedLayouts, UnreadableLayout } from '../shared-layouts.ts';
import { FULL_NAME, REF_NAME } from './oci-layout-index.ts';

const layoutSchema = v.object({ imageLayoutVersion: v.string() });

/** What was read of one directory, and how it looked then. */
interface ReadLayout {
  readonly stamp: string;
  readonly root: string | undefined;
  readonly entries: readonly SharedEntry[];
  readonly problem: string | undefined;
}

const NEVER_READ: ReadLayout = { stamp: '', root: undefined, entries: [], problem: undefined };

export class DiskSharedLayouts implements SharedLayouts {
  readonly #layouts: Map<string, ReadLayout>;

  /** `dirs` are absolute; of two that have an image of the same name the first counts. */
  constructor(dirs: readonly string[]) {
    this.#layouts = new Map(dirs.map((dir) => [dir, NEVER_READ]));
  }

  async changed(): Promise<readonly SharedEntry[] | undefined> {
    let isChanged = false;
    for (const [dir, known] of this.#layouts) {
      const stamp = await stampOf(dir);
      if (stamp === known.stamp) continue;
      this.#layouts.set(dir, await readLayout(dir, stamp));
      isChanged = true;
    }
    return isChanged ? [...this.#layouts.values()].flatMap(({ entries }) => entries) : undefined;
  }

  unreadable(): readonly UnreadableLayout[] {
    return [...this.#layouts].flatMap(([dir, { problem }]) =>
      problem === undefined ? [] : [{ dir, reason: problem }],
    );
  }

  async locate(digest: Digest) {
    for (const { root } of this.#layouts.values()) {
      if (root === undefined) continue;
      const path = join(root, CONTENT_NAMES.blobsDir, digestHex(digest));
      const found = await stat(path).catch(() => undefined);
      if (found?.isFile() === true) return { path, sizeBytes: found.size };
    }
    return undefined;
  }
}

/** Differs when the index was written again, or cannot be reached any more. */
async function stampOf(dir: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(join(await rootOf(dir), CONTENT_NAMES.index), {
      bigint: true,
    });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** The layout itself, or the one in the data directory of another wherry. */
async function rootOf(dir: string): Promise<string> {
  const inside = join(dir, DATA_NAMES.contentDir);
  const isData = await stat(join(inside, CONTENT_NAMES.layoutMarker)).then(
    () => true,
    () => false,
  );
  return isData ? inside : dir;
}

async function readLayout(dir: string, stamp: string): Promise<ReadLayout> {
  try {
    const root = await rootOf(dir);
    await checkMarker(root);
    const decoded = decodeJson(await readFile(join(root, CONTENT_NAMES.index)), decodeIndex);
    if (!decoded.ok) throw new Error(`index.json: ${decoded.problem}`);
    const entries = decoded.value.manifests.map((manifest): SharedEntry => {
      const { digest, size, annotations = {} } = manifest;
      const mediaType = manifest.mediaType || OCI_MANIFEST;
      return { dir, descriptor: { mediaType, digest, size }, name: nameIn(dir, annotations) };
    });
    return { stamp, root, entries, problem: undefined };
  } catch (error) {
    return { stamp, root: undefined, entries: [], problem: messageOf(error) };
  }
}

async function checkMarker(root: string): Promise<void> {
  try {
    const text = await readFile(join(root, CONTENT_NAMES.layoutMarker), 'utf8');
    v.parse(layoutSchema, JSON.parse(text));
  } catch (error) {
    if (isMissing(error)) throw new Error('it is no OCI image layout', { cause: error });
    throw error;
  }
}

/** A name without repository, which some tools write, gets that of the directory: `/srv/tools` and `v1` are `tools:v1`. */
function nameIn(dir: string, annotations: Readonly<Record<string, string>>): string | undefined {
  const name = annotations[FULL_NAME] ?? annotations[REF_NAME];
  if (name === undefined || name === '' || /[:/]/.test(name)) return name || undefined;
  return `${basename(dir).toLowerCase()}:${name}`;
}
