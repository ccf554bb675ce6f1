/** The header that describes a path of a container. */
import type { PathStat } from '../../storage/file-trees.ts';
import { goFileMode } from '../../wire/go-file-mode.ts';

/** Value of `X-Docker-Container-Path-Stat`: base64 of JSON. */
export function encodePathStat(stat: PathStat): string {
  const json = JSON.stringify({
    name: stat.name,
    size: stat.sizeBytes,
    mode: goFileMode(stat.mode),
    mtime: stat.modifiedAt,
    linkTarget: stat.linkTarget,
  });
  return Buffer.from(json).toString('base64');
}
