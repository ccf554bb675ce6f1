/** What can be wrong with the health check of a create request. */
import type { HealthConfig } from '../../wire/container-config.ts';
import { healthDurationTooShort, negativeHealthRetries } from '../containers/container-errors.ts';

/** Docker's shortest time between probes, in nanoseconds; 0 means "the default". */
const SHORTEST_NS = 1_000_000;

/** Throws `invalid-argument` with dockerd's text. */
export function checkHealthcheck(check: HealthConfig | null | undefined): void {
  if (check == null) return;
  checkDuration('Interval', check.Interval);
  checkDuration('Timeout', check.Timeout);
  if ((check.Retries ?? 0) < 0) throw negativeHealthRetries();
  checkDuration('StartPeriod', check.StartPeriod);
  checkDuration('StartInterval', check.StartInterval);
}

/** True for a check that will never run, as dockerd finds when the container starts. */
export function isUnknownCheck(check: HealthConfig | null | undefined): boolean {
  const kind = check?.Test?.[0] ?? '';
  return !['', 'NONE', 'CMD', 'CMD-SHELL'].includes(kind);
}

function checkDuration(name: string, value = 0): void {
  if (value !== 0 && value < SHORTEST_NS) throw healthDurationTooShort(name);
}
