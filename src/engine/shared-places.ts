/** Where bind mounts may come from, when the machine of the engine does not have all of the user's files. */
import { EngineError } from '../shared/errors.ts';

/** Directories and files that may be mounted, with all below them; undefined for everything. */
export type SharedPlaces = readonly string[] | undefined;

/** `invalid-argument` when `source` lies outside. A directory made there would be empty, and not the one that was meant. */
export function checkShared(places: SharedPlaces, source: string): void {
  if (places === undefined || places.some((place) => isWithin(place, source))) return;
  throw mountDenied(source, places);
}

/** Only by name: what a link leads to is looked up in the machine of the engine. */
function isWithin(place: string, source: string): boolean {
  const parts: string[] = [];
  for (const part of source.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const path = `/${parts.join('/')}`;
  return path === place || path.startsWith(place === '/' ? place : `${place}/`);
}

/** The beginning is what tools know from Docker's products for desktops. */
function mountDenied(source: string, places: readonly string[]): EngineError {
  const shared =
    places.length === 0
      ? 'nothing of this computer is shared with it'
      : `shared with it: ${places.join(', ')}`;
  return new EngineError(
    'invalid-argument',
    `mounts denied: the path ${source} is not shared with the virtual machine of the engine (${shared})`,
  );
}
