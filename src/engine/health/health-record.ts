/** The health of a container and how probes change it. Pure; Docker's rules and numbers. */
import type { HealthConfig } from '../../wire/container-config.ts';
import type { ContainerDocument } from '../containers/container-document.ts';
import { type HealthSettings, healthSettings } from './health-settings.ts';

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** One probe. Times are RFC 3339. */
export interface ProbeResult {
  readonly start: string;
  readonly end: string;
  /** That of the process; -1 when it could not be run or took too long. */
  readonly exitCode: number;
  readonly output: string;
}

export interface HealthRecord {
  readonly status: HealthStatus;
  readonly failingStreak: number;
  /** The last probes, oldest first. */
  readonly log: readonly ProbeResult[];
}

/** How many probes are kept. */
const KEPT_PROBES = 5;

interface Checked {
  readonly config: { readonly Healthcheck?: HealthConfig | null };
  readonly health?: HealthRecord;
}

/** The health of a container that starts now; nothing for one without a health check. The log is kept. */
export function initialHealth(container: Checked): { readonly health?: HealthRecord } {
  if (healthSettings(container.config) === undefined) return {};
  return { health: { status: 'starting', failingStreak: 0, log: container.health?.log ?? [] } };
}

/** The health of a container whose process has ended: unhealthy, as in Docker. */
export function healthAfterRun(container: Pick<ContainerDocument, 'health'>): {
  readonly health?: HealthRecord;
} {
  const { health } = container;
  return health === undefined ? {} : { health: { ...health, status: 'unhealthy' } };
}

/** Health after one more probe. Failures within the start period of a container never seen healthy do not count. */
export function afterProbe(
  health: HealthRecord,
  result: ProbeResult,
  run: { readonly settings: HealthSettings; readonly startedAt: string },
): HealthRecord {
  const log = [...health.log, result].slice(-KEPT_PROBES);
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const ageMs = Date.parse(result.start) - Date.parse(run.startedAt);
  if (health.status === 'starting' && ageMs < run.settings.startPeriodMs) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  const status = failingStreak >= run.settings.retries ? 'unhealthy' : health.status;
  return { status, failingStreak, log };
}

/** Milliseconds until the next probe of a container that has run for `ageMs`. */
export function probeDelayMs(
  status: HealthStatus,
  ageMs: number,
  settings: HealthSettings,
): number {
  const early = status === 'starting' && ageMs < settings.startPeriodMs;
  return early ? settings.startIntervalMs : settings.intervalMs;
}
