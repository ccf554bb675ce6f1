/** Docker's rules for the paths of `docker cp`. */

/**
 * The absolute form of a path that a client named. `.` and `..` are resolved by name, before any link is looked at; a
 * trailing slash or `/.` stays, as it says that a directory is meant.
 */
export function containerPath(given: string): string {
  const parts: string[] = [];
  for (const part of given.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const clean = `/${parts.join('/')}`;
  const named = given.replace(/\/+$/, '');
  const last = named.slice(named.lastIndexOf('/') + 1);
  if (last === '.') return clean === '/' ? '/.' : `${clean}/.`;
  return given.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** What the topmost entry of a path's archive is called: its last part, `/` for the root. */
export function archiveName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}
