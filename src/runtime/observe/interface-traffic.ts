/** Traffic of a network namespace's interfaces, from `/proc/PID/net/dev`. */
import type { InterfaceTraffic, TrafficCounters } from '../task-observer.ts';

/** Column in which the counters of sent packets begin, after eight of received ones. */
const FIRST_SENT = 8;

/** Counters by interface, the loopback left out as Docker does. */
export function parseInterfaceTraffic(text: string): Readonly<Record<string, InterfaceTraffic>> {
  const rows = text.split('\n').flatMap((line): [string, InterfaceTraffic][] => {
    const match = /^\s*([^\s:]+):\s*(.*)$/.exec(line);
    const [, name = '', columns = ''] = match ?? [];
    if (match === null || name === 'lo') return [];
    const numbers = columns.trim().split(/\s+/).map(Number);
    const sent = countersFrom(numbers, FIRST_SENT);
    return [[name, { received: countersFrom(numbers, 0), sent }]];
  });
  return Object.fromEntries(rows);
}

function countersFrom(numbers: readonly number[], first: number): TrafficCounters {
  const [bytes = 0, packets = 0, errors = 0, dropped = 0] = numbers.slice(first, first + 4);
  return { bytes, packets, errors, dropped };
}
