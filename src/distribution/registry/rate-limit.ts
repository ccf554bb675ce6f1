/** How many requests a registry still allows: `RateLimit-Limit`, `RateLimit-Remaining` (as Docker Hub documents them), `Retry-After`. */
import type { IncomingHttpHeaders } from 'node:http';

/** `76` or `76;w=21600`: a number of requests, and the seconds that it is for. */
const QUOTA = /^\s*(\d+)\s*(?:;\s*w=(\d+))?/;

/** For people: `76 of 100 pulls left in 6 hours`. Undefined when the registry says nothing of limits. */
export function describeRateLimit(headers: IncomingHttpHeaders): string | undefined {
  const limit = quota(headers['ratelimit-limit']);
  const remaining = quota(headers['ratelimit-remaining']);
  if (limit === undefined && remaining === undefined) return undefined;
  const of = [remaining?.count ?? 'some', ...(limit === undefined ? [] : ['of', limit.count])];
  const seconds = limit?.windowSeconds ?? remaining?.windowSeconds;
  const window = seconds === undefined ? '' : ` in ${describeSeconds(seconds)}`;
  return `${of.join(' ')} pulls left${window}`;
}

/** The same with the pause that the registry asks for, as the end of an error; empty when it says neither. */
export function describeRefusal(headers: IncomingHttpHeaders): string {
  const retryAfter = headers['retry-after'];
  const pause = /^\d+$/.test(retryAfter ?? '')
    ? `try again in ${describeSeconds(Number(retryAfter))}`
    : retryAfter && `try again after ${retryAfter}`;
  const parts = [describeRateLimit(headers), pause].filter((part) => part);
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

function quota(header: string | readonly string[] | undefined) {
  const [, count, seconds] = QUOTA.exec(String(header ?? '')) ?? [];
  if (count === undefined) return undefined;
  return {
    count: Number(count),
    windowSeconds: seconds === undefined ? undefined : Number(seconds),
  };
}

const UNITS = [
  ['hours', 3600],
  ['minutes', 60],
] as const;

/** In the largest unit that gives a whole number above one. */
function describeSeconds(seconds: number): string {
  const fitting = UNITS.find(([, one]) => seconds >= 2 * one && seconds % one === 0);
  const [unit, size] = fitting ?? (['seconds', 1] as const);
  return `${seconds / size} ${unit}`;
}
