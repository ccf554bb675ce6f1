/** Lengths of time as Go prints them, which Docker's texts contain. */

const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60 * MS_PER_SECOND;
const MS_PER_HOUR = 60 * MS_PER_MINUTE;

/** `500ms`, `1.5s`, `1m0s`, `1h0m0s`. Not for lengths below a millisecond. */
export function goDuration(ms: number): string {
  if (ms > 0 && ms < MS_PER_SECOND) return `${ms}ms`;
  const hours = Math.floor(ms / MS_PER_HOUR);
  const minutes = Math.floor((ms % MS_PER_HOUR) / MS_PER_MINUTE);
  const seconds = `${Number(((ms % MS_PER_MINUTE) / MS_PER_SECOND).toFixed(6))}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
