/** The version of the whole data directory. */
import { dirname } from 'node:path';
import { ensurePrivateDir } from '../sys/fs/private-dir.ts';
import { Document } from './document.ts';
import { FIRST_VERSION } from './migrations.ts';
import { undecodable } from './state-errors.ts';

/** `layout.json`. */
interface Layout {
  readonly v: number;
}

/**
 * Makes the data directory (0700) with its layout file, or checks the one that is there. `unavailable`, with
 * nothing touched, when a newer program made it; `corrupt` when the file cannot be read.
 */
export async function ensureLayout(layoutFile: string): Promise<void> {
  await ensurePrivateDir(dirname(layoutFile));
  const document = await Document.open<Layout>({
    path: layoutFile,
    initial: { v: 0 },
    migrations: FIRST_VERSION,
    decode: (raw) => decodeLayout(raw, layoutFile),
  });
  const { current } = FIRST_VERSION;
  if (document.value.v !== current) await document.update(() => ({ v: current }));
}

function decodeLayout(raw: unknown, path: string): Layout {
  const version = typeof raw === 'object' && raw !== null && 'v' in raw ? raw.v : undefined;
  if (typeof version !== 'number') throw undecodable(path, 'no version');
  return { v: version };
}
