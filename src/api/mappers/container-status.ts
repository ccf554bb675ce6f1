/** Status words and texts of containers: the one place where the wire's words are derived from our status. */
import type {
  ContainerDocument,
  ContainerStatus,
  ExitFacts,
} from '../../engine/containers/container-document.ts';
import { ZERO_TIME } from '../../shared/clock.ts';
import { assertNever } from '../../shared/errors.ts';

/** Docker's `State.Status`. */
export type StatusWord =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead';

type Shown = Pick<ContainerDocument, 'status' | 'health'>;

/** The word for a status. A container being started is what it was before, one being stopped still runs. */
export function statusWord(status: ContainerStatus): StatusWord {
  switch (status.state) {
    case 'starting':
      return status.before;
    case 'stopping':
      return 'running';
    case 'created':
    case 'running':
    case 'paused':
    case 'exited':
    case 'restarting':
    case 'removing':
    case 'dead':
      return status.state;
    default:
      return assertNever(status);
  }
}

/** The column `STATUS` of `docker ps`. */
export function statusText({ status, health }: Shown, nowMs: number): string {
  switch (statusWord(status)) {
    case 'running':
      return `Up ${humanDuration(ageSeconds(startedAt(status), nowMs))}${healthText(health)}`;
    case 'paused':
      return `Up ${humanDuration(ageSeconds(startedAt(status), nowMs))} (Paused)`;
    case 'exited':
      return exitText('Exited', lastExit(status), nowMs);
    case 'restarting':
      return exitText('Restarting', lastExit(status), nowMs);
    case 'created':
      return 'Created';
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

function healthText(health: ContainerDocument['health']): string {
  if (health === undefined) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}

function exitText(word: string, last: ExitFacts | undefined, nowMs: number): string {
  if (last === undefined) return '';
  const age = humanDuration(ageSeconds(last.finishedAt, nowMs));
  return `${word} (${last.exitCode}) ${age} ago`;
}

/** `State` of inspect. `pid` is 0 when no process runs. */
export function toState({ status, health }: Shown, pid: number): Record<string, unknown> {
  const word = statusWord(status);
  const last = lastExit(status);
  const failedStart = status.state === 'created' ? status : undefined;
  return {
    Status: word,
    Running: word === 'running' || word === 'paused' || word === 'restarting',
    Paused: word === 'paused',
    Restarting: word === 'restarting',
    OOMKilled: ('oomKilled' in status ? status.oomKilled : last?.oomKilled) ?? false,
    Dead: word === 'dead',
    Pid: pid,
    ExitCode: last?.exitCode ?? failedStart?.exitCode ?? 0,
    Error: last?.error ?? failedStart?.error ?? '',
    StartedAt: startedAt(status),
    FinishedAt: last?.finishedAt ?? previousEnd(status) ?? ZERO_TIME,
    ...(health === undefined ? {} : { Health: toHealth(health) }),
  };
}

/** While a container runs, inspect still tells when the run before ended. */
function previousEnd(status: ContainerStatus): string | undefined {
  return 'previousEnd' in status ? status.previousEnd : undefined;
}

function toHealth(health: NonNullable<ContainerDocument['health']>): object {
  return {
    Status: health.status,
    FailingStreak: health.failingStreak,
    Log: health.log.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

/** How the last run ended, when there was one. */
export function lastExit(status: ContainerStatus): ExitFacts | undefined {
  return 'last' in status ? status.last : undefined;
}

function startedAt(status: ContainerStatus): string {
  return 'task' in status ? status.task.startedAt : (lastExit(status)?.startedAt ?? ZERO_TIME);
}

function ageSeconds(since: string, nowMs: number): number {
  return Math.max(0, (nowMs - Date.parse(since)) / 1000);
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in the words of Docker's `docker ps`: rounded down, hours to the nearest. */
export function humanDuration(seconds: number): string {
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < MINUTE) return `${Math.floor(seconds)} seconds`;
  if (seconds < 2 * MINUTE) return 'About a minute';
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} minutes`;
  const hours = Math.floor(seconds / HOUR + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  return humanDays(seconds / DAY);
}

function humanDays(days: number): string {
  if (days < 14) return `${Math.floor(days)} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}
