/** The disk with our own programs: made anew at each start of the machine, so that host and guest are of one version. */
import { writeFile } from 'node:fs/promises';
import { fromNodeError } from '../sys/system-errors.ts';
import { addGuestFiles } from './recipe/guest-files.ts';
import { ImageTree } from './tree/image-tree.ts';
import { writeErofs } from './write/erofs-writer.ts';

const LABEL = 'wherry-programs';

/** Writes the programs below `programsDir` as a file system to `path`. */
export async function writeProgramDisk(programsDir: string, path: string): Promise<void> {
  const tree = new ImageTree();
  await addGuestFiles(programsDir, tree);
  try {
    await writeFile(path, writeErofs(tree, LABEL), { mode: 0o600 });
  } catch (error) {
    throw fromNodeError(error, `write ${path}`);
  }
}
