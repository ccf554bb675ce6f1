/** HEALTHCHECK. */
import type { HealthConfig } from '../wire/container-config.ts';
import { parseDuration } from '../wire/query.ts';
import { parseError } from './dockerfile-errors.ts';
import { type Flag, jsonList, takeFlags } from './instruction-text.ts';
import type { SourceInstruction } from './source-instruction.ts';
import type { SourceRange } from './source-place.ts';

const DURATIONS: ReadonlyMap<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'> =
  new Map([
    ['interval', 'Interval'],
    ['timeout', 'Timeout'],
    ['start-period', 'StartPeriod'],
    ['start-interval', 'StartInterval'],
  ]);
const NS_PER_SECOND = 1e9;
/** The shortest time that a check may be given. */
const LEAST_NS = 1e6;

/** `NONE`, or options and `CMD` with a command; `isShell` for one that is a line for the shell. */
export function parseHealthcheck(source: SourceInstruction) {
  const { range } = source;
  const rules = { keyword: 'HEALTHCHECK', known: [...DURATIONS.keys(), 'retries'], range };
  const { flags, rest } = takeFlags(source.text, rules);
  const [, type = '', command = ''] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (type.toUpperCase() === 'NONE') {
    if (command !== '') throw parseError(range, 'HEALTHCHECK NONE takes no arguments');
    return { kind: 'HEALTHCHECK', check: { Test: ['NONE'] }, isShell: false } as const;
  }
  if (type === '') throw parseError(range, 'HEALTHCHECK requires at least one argument');
  if (type.toUpperCase() !== 'CMD') {
    throw parseError(range, `unknown type "${type}" in HEALTHCHECK (try CMD)`);
  }
  if (command === '') throw parseError(range, 'missing command after HEALTHCHECK CMD');
  const list = jsonList(command);
  const Test = list === undefined ? ['CMD-SHELL', command] : ['CMD', ...list];
  let check: HealthConfig = { Test };
  for (const flag of flags) check = { ...check, ...option(flag, range) };
  return { kind: 'HEALTHCHECK', check, isShell: list === undefined } as const;
}

function option({ name, value = '' }: Flag, range: SourceRange): HealthConfig {
  const field = DURATIONS.get(name);
  if (field === undefined) {
    const retries = Number(value);
    if (!/^-?\d+$/.test(value)) {
      throw parseError(range, `strconv.ParseInt: parsing "${value}": invalid syntax`);
    }
    if (retries < 0) throw parseError(range, `--retries cannot be negative (${value})`);
    return { Retries: retries };
  }
  const seconds = parseDuration(value);
  if (seconds === undefined) throw parseError(range, `time: invalid duration "${value}"`);
  const nanoseconds = Math.round(seconds * NS_PER_SECOND);
  if (nanoseconds < 0 || (nanoseconds > 0 && nanoseconds < LEAST_NS)) {
    throw parseError(range, `interval "${name}" cannot be less than 1ms`);
  }
  return { [field]: nanoseconds };
}
