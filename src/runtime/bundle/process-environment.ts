/** The environment of a container's processes. */

/** What stands in for a missing `PATH` (Docker's `DefaultPathEnv`). */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the variables come from; later ones win. */
export interface EnvironmentSource {
  readonly hostname: string;
  readonly terminal: boolean;
  readonly home: string;
  /** `NAME=value` sets, `NAME` alone removes. In order: the container's, then those of an exec session. */
  readonly given: readonly (readonly string[])[];
}

/** `PATH`, `HOSTNAME` and, for terminals, `TERM` first, then what was given, then `HOME` if nobody set it. */
export function buildEnvironment(source: EnvironmentSource): readonly string[] {
  const variables = new Map([['PATH', DEFAULT_PATH]]);
  if (source.hostname !== '') variables.set('HOSTNAME', source.hostname);
  if (source.terminal) variables.set('TERM', 'xterm');
  for (const entry of source.given.flat()) {
    const equals = entry.indexOf('=');
    if (equals < 0) variables.delete(entry);
    else if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  if (!variables.has('HOME')) variables.set('HOME', source.home);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}
