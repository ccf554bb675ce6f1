/** Names of packages of npm that exist once for each architecture. */
import type { Architecture } from './recipe.ts';

const NPM_ARCHITECTURES: Readonly<Record<Architecture, string>> = { amd64: 'x64', arm64: 'arm64' };

/** `node-linux-%` of the recipe for this architecture. */
export function npmName(pattern: string, architecture: Architecture): string {
  return pattern.replace('%', NPM_ARCHITECTURES[architecture]);
}

/** Where a registry has the archive of a version (the same for all of them). */
export function npmPath(name: string, version: string): string {
  return `${name}/-/${name.slice(name.lastIndexOf('/') + 1)}-${version}.tgz`;
}
