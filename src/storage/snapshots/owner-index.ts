/** The owners that a layer's files should have and cannot: `owners.json` beside the layer, absent when there are none. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { isMissing } from '../../sys/system-errors.ts';
import type { LayerOwners } from '../layer-owners.ts';

const NAME = 'owners.json';

const schema = v.object({
  v: v.literal(1),
  /** `[uid, gid]` by path. */
  owners: v.record(v.string(), v.tuple([v.number(), v.number()])),
});

/** To be called before the layer is committed. */
export async function writeOwners(slotDir: string, owners: LayerOwners): Promise<void> {
  if (owners.size === 0) return;
  const pairs = [...owners].map(([path, { uid, gid }]) => [path, [uid, gid]]);
  const document = { v: 1, owners: Object.fromEntries(pairs) };
  await writeFile(join(slotDir, NAME), JSON.stringify(document), { mode: 0o600, flag: 'wx' });
}

/** Rejects when the file is there and damaged. */
export async function readOwners(slotDir: string): Promise<LayerOwners> {
  try {
    const { owners } = v.parse(schema, JSON.parse(await readFile(join(slotDir, NAME), 'utf8')));
    return new Map(Object.entries(owners).map(([path, [uid, gid]]) => [path, { uid, gid }]));
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
}
