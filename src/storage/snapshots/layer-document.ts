/** What is stored of a committed layer beside its files: `layer.json`. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import { isTemporaryName, writeFileDurably } from '../../sys/fs/durable.ts';

const NAME = 'layer.json';
const MODE = 0o600;

export interface LayerDocument {
  readonly v: 1;
  readonly chainId: Digest;
  /** chainID of the layer below; null for the lowest one. */
  readonly parent: Digest | null;
  readonly sizeBytes: number;
  /** There while the layer's files may not have reached the disk. */
  readonly unsynced?: UnsyncedFiles;
}

/** Files that a power cut may take, wholly or in part. */
export interface UnsyncedFiles {
  /** Boot that they were written in: in this one they are whole, if only in memory. */
  readonly bootId: string;
  /** Bringing them to disk failed. The kernel may have dropped them since, so that no later sync counts. */
  readonly isLost: boolean;
}

const digest = v.pipe(
  v.string(),
  v.check((text) => parseDigest(text) !== undefined),
  v.transform((text) => text as Digest),
);
const schema = v.object({
  v: v.literal(1),
  chainId: digest,
  parent: v.nullable(digest),
  sizeBytes: v.number(),
  unsynced: v.exactOptional(v.object({ bootId: v.string(), isLost: v.boolean() })),
});

/** Rejects when there is none or only half of one: the layer was never committed. */
export async function readLayerDocument(slotDir: string): Promise<LayerDocument> {
  return v.parse(schema, JSON.parse(await readFile(join(slotDir, NAME), 'utf8')));
}

/**
 * Commits a layer whose files are not synced. Neither is this file: a power cut takes it together with them, and
 * one that is half there counts as none.
 */
export async function createLayerDocument(
  slotDir: string,
  document: LayerDocument & { readonly unsynced: UnsyncedFiles },
): Promise<void> {
  await writeFile(join(slotDir, NAME), JSON.stringify(document), { mode: MODE, flag: 'wx' });
}

/** Changes what is recorded, on disk as well. */
export async function replaceLayerDocument(
  slotDir: string,
  document: LayerDocument,
): Promise<void> {
  await writeFileDurably(join(slotDir, NAME), JSON.stringify(document), { mode: MODE });
}

/** Removes what an interrupted `replaceLayerDocument` left. */
export async function removeHalfReplaced(slotDir: string): Promise<void> {
  for (const name of await readdir(slotDir)) {
    if (isTemporaryName(name)) await rm(join(slotDir, name));
  }
}
