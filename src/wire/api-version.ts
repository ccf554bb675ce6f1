/** Versions of the Engine API: what is announced, what is accepted, and the prefix of request paths. */
import { clientTooNew, clientTooOld } from './wire-errors.ts';

/** `major.minor`, e.g. `1.51`. */
export type ApiVersion = `${number}.${number}`;

export const API_VERSION = '1.51' satisfies ApiVersion;
export const MIN_API_VERSION = '1.24' satisfies ApiVersion;

const PREFIX = /^\/v(\d{1,4}\.\d{1,4})(?=\/|$)/;

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareVersions(a: ApiVersion, b: ApiVersion): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

/** True from `since` on. */
export function isAtLeast(version: ApiVersion, since: ApiVersion): boolean {
  return compareVersions(version, since) >= 0;
}

/** Splits `/v1.44/info` into its version and `/info`; without a prefix the newest version is meant. */
export function splitVersion(path: string): { version: ApiVersion; path: string } {
  const match = PREFIX.exec(path);
  if (match === null) return { version: API_VERSION, path };
  const rest = path.slice(match[0].length);
  return { version: match[1] as ApiVersion, path: rest === '' ? '/' : rest };
}

/** `invalid-argument` with dockerd's text for a version outside of what is served. */
export function assertServed(version: ApiVersion): void {
  if (compareVersions(version, API_VERSION) > 0) throw clientTooNew(version, API_VERSION);
  if (compareVersions(version, MIN_API_VERSION) < 0) throw clientTooOld(version, MIN_API_VERSION);
}
