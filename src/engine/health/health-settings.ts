/** A container's health check with Docker's defaults filled in. */
import type { HealthConfig } from '../../wire/container-config.ts';

export interface HealthSettings {
  /** The command, to be run as an exec session. */
  readonly args: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  /** Failures in a row that make a container unhealthy. */
  readonly retries: number;
}

const NANOSECONDS_PER_MS = 1e6;
const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_START_INTERVAL_MS = 5_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_SHELL = ['/bin/sh', '-c'];

interface CheckedConfig {
  readonly Healthcheck?: HealthConfig | null;
  readonly Shell?: readonly string[] | null;
}

/** Undefined when the container has no health check (`NONE`, none at all, or one of an unknown kind). */
export function healthSettings(config: CheckedConfig): HealthSettings | undefined {
  const check = config.Healthcheck;
  const args = probeArgs(config);
  if (check == null || args === undefined) return undefined;
  return {
    args,
    intervalMs: toMs(check.Interval) || DEFAULT_INTERVAL_MS,
    timeoutMs: toMs(check.Timeout) || DEFAULT_TIMEOUT_MS,
    startPeriodMs: toMs(check.StartPeriod),
    startIntervalMs: toMs(check.StartInterval) || DEFAULT_START_INTERVAL_MS,
    retries: check.Retries || DEFAULT_RETRIES,
  };
}

function probeArgs({ Healthcheck, Shell }: CheckedConfig): readonly string[] | undefined {
  const [kind, ...words] = Healthcheck?.Test ?? [];
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  const shell = Shell == null || Shell.length === 0 ? DEFAULT_SHELL : Shell;
  return kind === 'CMD-SHELL' ? [...shell, ...words] : undefined;
}

function toMs(nanoseconds: number | undefined): number {
  return (nanoseconds ?? 0) / NANOSECONDS_PER_MS;
}
