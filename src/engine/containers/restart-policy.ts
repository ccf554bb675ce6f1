/** When a container is restarted without being asked: Docker's restart policies. Pure. */
import type { ContainerDocument, ExitFacts } from './container-document.ts';

/** The first wait before a restart, and the longest. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;

/** A run of at least this length makes the next wait the first one again. */
const STEADY_RUN_MS = 10_000;

type PolicyFacts = Pick<
  ContainerDocument,
  'hostConfig' | 'restartCount' | 'restartDelayMs' | 'hasBeenManuallyStopped'
>;

/** Milliseconds to wait before the restart that the policy demands after a run; undefined when it demands none. */
export function restartDelayAfter(container: PolicyFacts, exit: ExitFacts): number | undefined {
  if (container.hasBeenManuallyStopped === true || !demandsRestart(container, exit)) {
    return undefined;
  }
  const before = container.restartDelayMs;
  const ranMs = Date.parse(exit.finishedAt) - Date.parse(exit.startedAt);
  if (before === undefined || ranMs >= STEADY_RUN_MS) return FIRST_DELAY_MS;
  return Math.min(before * 2, LONGEST_DELAY_MS);
}

function demandsRestart(container: PolicyFacts, exit: ExitFacts): boolean {
  const policy = container.hostConfig.RestartPolicy;
  const most = policy?.MaximumRetryCount ?? 0;
  switch (policy?.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exit.exitCode !== 0 && (most === 0 || container.restartCount < most);
    default:
      return false;
  }
}

/**
 * Whether a container at rest is started when the engine starts. One that was never started is not. What the user
 * has stopped comes back by `always` when the daemon restarts, not when the engine alone had to be replaced.
 */
export function startsWithEngine(
  container: Pick<ContainerDocument, 'hostConfig' | 'hasBeenManuallyStopped'>,
  isNewMachine: boolean,
): boolean {
  const name = container.hostConfig.RestartPolicy?.Name;
  if (container.hasBeenManuallyStopped === true) return name === 'always' && isNewMachine;
  return name === 'always' || name === 'unless-stopped';
}
