/** How far the mirror of a log has come, so that a new engine goes on exactly there. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { temporaryNameFor } from '../../sys/fs/durable.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { heldPartsSchema } from './join-parts.ts';

const mirrorRecord = v.object({
  v: v.literal(1),
  /** Up to where the monitor's log has been taken. */
  position: v.object({ segment: v.number(), offset: v.number() }),
  /** Size of Docker's file at that moment; 0 for the journal. */
  bytes: v.number(),
  held: heldPartsSchema,
});
export type MirrorRecord = v.InferOutput<typeof mirrorRecord>;

/** Undefined when there is none, or none that can be understood: the file is then made anew from the log. */
export async function readMirrorRecord(path: string): Promise<MirrorRecord | undefined> {
  try {
    const parsed = v.safeParse(
      v.pipe(v.string(), v.parseJson(), mirrorRecord),
      await readFile(path, 'utf8'),
    );
    return parsed.success ? parsed.output : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whole or not at all when the engine dies. Not synced: what a power cut takes is made anew. */
export async function writeMirrorRecord(path: string, record: MirrorRecord): Promise<void> {
  const temporary = temporaryNameFor(path);
  await writeFile(temporary, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
  await rename(temporary, path);
}
