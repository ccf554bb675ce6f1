/** `builder` of `daemon.json`: `gc` with its limits and policies. Pure. Names and defaults are those of dockerd. */
import * as v from 'valibot';
import type { GcPolicy, GcSettings, SpaceAmount } from '../../handshake/gc-settings.ts';
import { wrapError } from '../../shared/errors.ts';
import { nearestWord } from '../../shared/nearest-word.ts';
import { checkCacheFilters, decodeKeepDuration, decodeSize } from '../../wire/cache-filters.ts';
import { badSetting, unknownSetting } from './settings-errors.ts';

const GIB = 1e9;
const HOUR_MS = 3600 * 1000;
/** A tenth of the disk, at most 10 GB, is the caches' own. */
const DEFAULT_RESERVED: SpaceAmount = { percent: 10, bytes: 10 * GIB };
const DEFAULT_MOST: SpaceAmount = { percent: 80, bytes: 100 * GIB };
const DEFAULT_FREE: SpaceAmount = { percent: 20 };
/** What is had again most cheaply, when there is much of it and it was of no use for two days. */
const CHEAP_TYPES = ['source.local', 'exec.cachemount', 'source.git.checkout', 'download'];
const CHEAP_AFTER_MS = 48 * HOUR_MS;
const CHEAP_BYTES = 512e6;
const OLD_AFTER_MS = 60 * 24 * HOUR_MS;

interface Limits {
  readonly reservedSpace?: SpaceAmount;
  readonly maxUsedSpace?: SpaceAmount;
  readonly minFreeSpace?: SpaceAmount;
}

const GC_KEYS = [
  ...['enabled', 'policy', 'defaultKeepStorage'],
  ...['defaultReservedSpace', 'defaultMaxUsedSpace', 'defaultMinFreeSpace'],
];
const POLICY_KEYS = [
  ...['all', 'filter', 'keepDuration', 'keepStorage'],
  ...['reservedSpace', 'maxUsedSpace', 'minFreeSpace'],
];

/** What holds when nothing is said. */
export const DEFAULT_GC: GcSettings = { enabled: true, policies: defaultPolicies({}) };

/** Decodes the value of the key. `invalid-argument`, with the nearest known key where one is unknown. */
export function decodeBuilder(raw: unknown, what: string): GcSettings {
  const { gc } = objectOf(raw, what, ['gc']);
  if (gc === undefined) return DEFAULT_GC;
  const at = `${what}, gc`;
  const given = objectOf(gc, at, GC_KEYS);
  const enabled = given['enabled'] ?? true;
  if (typeof enabled !== 'boolean') throw badSetting(at, 'enabled is neither true nor false');
  const limits = limitsOf(
    {
      reservedSpace: given['defaultReservedSpace'] ?? given['defaultKeepStorage'],
      maxUsedSpace: given['defaultMaxUsedSpace'],
      minFreeSpace: given['defaultMinFreeSpace'],
    },
    at,
  );
  const policy = given['policy'];
  if (policy === undefined) return { enabled, policies: defaultPolicies(limits) };
  if (!Array.isArray(policy)) throw badSetting(at, 'policy is not a list');
  const decoded = policy.map((entry: unknown, index) =>
    decodePolicy(entry, `${at}, policy ${index + 1}`),
  );
  return { enabled, policies: decoded.length === 0 ? defaultPolicies(limits) : decoded };
}

/** dockerd's own steps; its own limits when none is given. */
function defaultPolicies(given: Limits): GcPolicy[] {
  const isUnset = Object.keys(given).length === 0;
  const limits = isUnset
    ? {
        reservedSpace: DEFAULT_RESERVED,
        maxUsedSpace: DEFAULT_MOST,
        minFreeSpace: DEFAULT_FREE,
      }
    : given;
  return [
    {
      all: false,
      keepDurationMs: CHEAP_AFTER_MS,
      maxUsedSpace: { bytes: CHEAP_BYTES },
      filter: { type: CHEAP_TYPES },
    },
    { ...limits, all: false, keepDurationMs: OLD_AFTER_MS, filter: {} },
    { ...limits, all: false, keepDurationMs: 0, filter: {} },
    { ...limits, all: true, keepDurationMs: 0, filter: {} },
  ];
}

function decodePolicy(raw: unknown, what: string): GcPolicy {
  const given = objectOf(raw, what, POLICY_KEYS);
  const all = given['all'] ?? false;
  if (typeof all !== 'boolean') throw badSetting(what, 'all is neither true nor false');
  const limits = limitsOf(
    { ...given, reservedSpace: given['reservedSpace'] ?? given['keepStorage'] },
    what,
  );
  const duration = given['keepDuration'] ?? '0s';
  const keepDurationMs = decodeKeepDuration(String(duration));
  if (keepDurationMs === undefined) {
    throw badSetting(what, `keepDuration "${String(duration)}" is not a duration such as 48h`);
  }
  return { ...limits, all, keepDurationMs, filter: decodeFilter(given['filter'] ?? [], what) };
}

/** `["type=a,type=b", "unused-for=48h"]`; dockerd's documents write some conditions with `==`. */
function decodeFilter(raw: unknown, what: string): GcPolicy['filter'] {
  const list = v.safeParse(v.array(v.string()), raw);
  if (!list.success) throw badSetting(what, 'filter is not a list of texts');
  const values = new Map<string, string[]>();
  for (const condition of list.output.flatMap((text) => text.split(','))) {
    const [, name = '', value = ''] = /^\s*([^=]*?)\s*==?(.*)$/.exec(condition) ?? [];
    if (name === '') throw badSetting(what, `filter "${condition}" is not NAME=VALUE`);
    values.set(name, [...(values.get(name) ?? []), value.trim()]);
  }
  try {
    return checkCacheFilters(values);
  } catch (error) {
    throw wrapError(error, what);
  }
}

function limitsOf(given: Readonly<Record<string, unknown>>, what: string): Limits {
  const names = ['reservedSpace', 'maxUsedSpace', 'minFreeSpace'] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = given[name];
      return text === undefined || text === '' ? [] : [[name, spaceOf(text, `${what}, ${name}`)]];
    }),
  );
}

function spaceOf(raw: unknown, what: string): SpaceAmount {
  const text = String(raw);
  const percent = /^(\d+)%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 100) return { percent: Number(percent) };
  const bytes = decodeSize(text);
  if (bytes === undefined) throw badSetting(what, `"${text}" is neither a size nor a percentage`);
  return { bytes };
}

/** The object with its keys as we spell them: dockerd does not mind the case. */
function objectOf(
  raw: unknown,
  what: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw badSetting(what, 'is not an object');
  }
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => {
      const own = known.find((name) => name.toLowerCase() === key.toLowerCase());
      if (own === undefined)
        throw unknownSetting(`key "${key}" in ${what}`, nearestWord(key, known));
      return [own, value];
    }),
  );
}
