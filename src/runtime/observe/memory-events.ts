/** Hearing of kills for want of memory while a container runs, from its control group. */
import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { parseFlatKeyed } from './group-counters.ts';

/** Calls `onKill` when the group's count of such kills grows. The kernel tells of changes: nothing is looked at before. */
export function watchMemoryEvents(dir: string, onKill: () => void, signal: AbortSignal): void {
  const path = join(dir, 'memory.events');
  let known = killsIn(path);
  if (known === undefined) return;
  const watcher = watch(path, { signal, persistent: false }, () => {
    const now = killsIn(path);
    if (now === undefined || now <= (known ?? 0)) return;
    known = now;
    onKill();
  });
  // The group goes with its container.
  watcher.on('error', () => watcher.close());
}

/** Undefined when the group has gone or its memory is not counted. */
function killsIn(path: string): number | undefined {
  try {
    return parseFlatKeyed(readFileSync(path, 'utf8'))['oom_kill'];
  } catch {
    return undefined;
  }
}
