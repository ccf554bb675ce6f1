/** The version of the whole data directory. */
import { dirname } from 'node:path';
import { ensurePrivateDir } from '../sys/fs/private-dir.ts';
import { Document } from './document.ts';
import type { MigrationPlan } from './migrations.ts';
import { undecodable } from './state-errors.ts';

/** `layout.json`. */
interface Layout {
  readonly v: number;
}

/** Version of the layout that this program uses; `steps` would move files of earlier ones. */
const LAYOUT: MigrationPlan = { current: 1, steps: {} };

/**
 * Makes the data directory (0700) with its layout file, or checks the one that is there. `unavailable`, with
 * nothing touched, when a newer program made it; `corrupt` when the file cannot be read.
 */
export async function ensureLayout(layoutFile: string): Promise<void> {
  await ensurePrivateDir(dirname(layoutFile));
  const document = await Document.open<Layout>({
    path: layoutFile,
    initial: { v: 0 },
    migrations: LAYOUT,
    decode: (raw) => decodeLayout(raw, layoutFile),
  });
  if (document.value.v !== LAYOUT.current) await document.update(() => ({ v: LAYOUT.current }));
}

function decodeLayout(raw: unknown, path: string): Layout {
  const version = typeof raw === 'object' && raw !== null && 'v' in raw ? raw.v : undefined;
  if (typeof version !== 'number') throw undecodable(path, 'no version');
  return { v: version };
}
