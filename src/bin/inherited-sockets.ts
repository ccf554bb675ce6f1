/** Sockets that a service manager passes on: the protocol of sd_listen_fds(3). */
import type { InheritedSocket } from '../host/api-sockets.ts';

const FIRST_FD = 3;

/** The sockets meant for this process; none when the variables speak of another one. */
export function inheritedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly InheritedSocket[] {
  if (environment['LISTEN_PID'] !== String(pid)) return [];
  const count = Number(environment['LISTEN_FDS'] ?? 0);
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: Number.isInteger(count) ? count : 0 }, (_, position) => ({
    name: names[position] ?? '',
    fd: FIRST_FD + position,
  }));
}
