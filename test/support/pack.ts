/** Compresses bytes with the tools of the distribution. */
import { execFileSync } from 'node:child_process';

/** The compressions that archives may have. */
export const PACKER_NAMES = ['gzip', 'zstd', 'xz', 'bzip2'] as const;
export type PackerName = (typeof PACKER_NAMES)[number];

/** Needs the capability of the same name. */
export function pack(name: PackerName, bytes: Buffer): Buffer {
  return execFileSync(name, ['-qc'], { input: bytes, maxBuffer: 1 << 28 });
}
