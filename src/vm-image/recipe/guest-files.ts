/** The guest's own files, which lie beside the recipe as they are: scripts and configuration. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromNodeError } from '../../sys/system-errors.ts';
import type { ImageTree } from '../tree/image-tree.ts';

const SCRIPT_MARK = '#!';

/** Adds everything below `dir`. Scripts become executable: not every system that builds images keeps such marks. */
export async function addGuestFiles(dir: string, tree: ImageTree): Promise<void> {
  try {
    const found = await readdir(dir, { recursive: true, withFileTypes: true });
    for (const entry of found.filter((each) => each.isFile())) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      const content = await readFile(path);
      const isScript = content.toString('latin1', 0, SCRIPT_MARK.length) === SCRIPT_MARK;
      const place = path.slice(dir.length + 1).replaceAll('\\', '/');
      tree.add(place, { kind: 'file', mode: isScript ? 0o755 : 0o644, content });
    }
  } catch (error) {
    throw fromNodeError(error, `read ${dir}`);
  }
}
