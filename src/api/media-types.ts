/** Docker's media types of byte streams. */
import { type ApiVersion, isAtLeast } from '../wire/api-version.ts';

export const RAW_STREAM = 'application/vnd.docker.raw-stream';
export const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

/** The type announced for a container's output; framed output has a type of its own since 1.42. */
export function streamMediaType(tty: boolean, version: ApiVersion): string {
  return !tty && isAtLeast(version, '1.42') ? MULTIPLEXED_STREAM : RAW_STREAM;
}
