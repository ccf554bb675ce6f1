/** Asking the user's own systemd for a control group (org.freedesktop.systemd1, systemd.scope(5)). */
import type { Clock } from '../../shared/clock.ts';
import { run } from '../../sys/exec/run.ts';

/** Where the service manager is asked, and by which program. */
export interface ServiceManager {
  /** The variables that lead to the user's bus. */
  readonly environment: Readonly<Record<string, string>>;
  /** Root has the system's manager, everybody else one of their own. */
  readonly isRoot: boolean;
  readonly clock: Clock;
}

const TIMEOUT_MS = 5_000;
const LOOK_MS = 10;
const [SERVICE, OBJECT] = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1'];

/**
 * Puts this process into a new scope whose control group is ours to divide. False when there is no systemd of this
 * user, or it refuses. `currentGroup` tells the group that this process is in.
 */
export async function moveToOwnScope(
  manager: ServiceManager,
  currentGroup: () => Promise<string | undefined>,
): Promise<boolean> {
  const before = await currentGroup();
  const properties = [
    ...['Description', 's', 'wherry: containers'],
    ...['PIDs', 'au', '1', String(process.pid)],
    ...['Delegate', 'b', 'true'],
    ...['CollectMode', 's', 'inactive-or-failed'],
  ];
  const unit = `wherry-${process.pid}.scope`;
  const call = ['StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail', '4', ...properties, '0'];
  if (!(await callManager(manager, call))) return false;
  // The answer names a job; the process has been moved when the job is done.
  const never = new AbortController().signal;
  for (let waitedMs = 0; waitedMs < TIMEOUT_MS; waitedMs += LOOK_MS) {
    if ((await currentGroup()) !== before) return true;
    await manager.clock.sleep(LOOK_MS, never);
  }
  return false;
}

/** Puts this process into a group below a scope that an earlier daemon made. False when systemd does not. */
export async function rejoinScope(
  manager: ServiceManager,
  unit: string,
  subgroup: string,
): Promise<boolean> {
  const call = ['AttachProcessesToUnit', 'ssau', unit, subgroup, '1', String(process.pid)];
  return await callManager(manager, call);
}

async function callManager(manager: ServiceManager, call: readonly string[]): Promise<boolean> {
  const bus = manager.isRoot ? '--system' : '--user';
  const args = [bus, 'call', SERVICE, OBJECT, `${SERVICE}.Manager`, ...call];
  try {
    const completed = await run(
      { file: 'busctl', args, env: manager.environment },
      { timeoutMs: TIMEOUT_MS },
    );
    return completed.exitCode === 0;
  } catch {
    // Not installed, or no answer: as good as no systemd.
    return false;
  }
}
