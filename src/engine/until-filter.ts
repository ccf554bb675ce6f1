/** The `until` filter of the prune verbs: a moment, or how long ago. */

import type { Clock } from '../shared/clock.ts';
import { EngineError } from '../shared/errors.ts';
import type { Filters } from '../wire/filters.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** The moment in milliseconds since the epoch; undefined without the filter. */
export function parseUntil(filters: Filters, clock: Clock): number | undefined {
  const values = filters.get('until') ?? [];
  const [text] = values;
  if (text === undefined) return undefined;
  if (values.length > 1) throw invalidUntil('more than one until filter specified');
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const ago = parseDuration(text);
  if (ago !== undefined) return clock.now() - ago;
  const moment = Date.parse(text);
  if (Number.isNaN(moment))
    throw invalidUntil(`failed to parse value as time or duration: "${text}"`);
  return moment;
}

/** A duration in Go's notation (`1h30m`) in milliseconds, or undefined. */
function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return total;
}

function invalidUntil(why: string): EngineError {
  return new EngineError('invalid-argument', `invalid until filter: ${why}`);
}
