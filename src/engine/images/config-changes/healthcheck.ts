/** The instruction `HEALTHCHECK` (Dockerfile reference). */
import type { HealthConfig } from '../../../wire/container-config.ts';
import { decodeInteger, parseDuration } from '../../../wire/query.ts';
import { checkHealthcheck } from '../../health/check-healthcheck.ts';
import { malformedChange } from '../image-errors.ts';
import { parseJsonList } from './instruction-words.ts';

const FLAG = /^--([a-z-]+)=(\S*)\s*/;
const DURATIONS: ReadonlyMap<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'> =
  new Map([
    ['interval', 'Interval'],
    ['timeout', 'Timeout'],
    ['start-period', 'StartPeriod'],
    ['start-interval', 'StartInterval'],
  ]);

/** `NONE`, or options and `CMD` with a command. Throws `invalid-argument`. */
export function parseHealthcheck(text: string): HealthConfig {
  let rest = text;
  let check: HealthConfig = {};
  for (let flag = FLAG.exec(rest); flag !== null; flag = FLAG.exec(rest)) {
    check = { ...check, ...option(flag[1] ?? '', flag[2] ?? '') };
    rest = rest.slice(flag[0].length);
  }
  const [, type = '', command = ''] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  if (type.toUpperCase() === 'NONE') {
    if (command !== '') throw malformedChange('HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (type.toUpperCase() !== 'CMD') {
    throw malformedChange(`Unknown type "${type}" in HEALTHCHECK (try CMD)`);
  }
  if (command === '') throw malformedChange('Missing command after HEALTHCHECK CMD');
  const list = parseJsonList(command);
  checkHealthcheck(check);
  return { ...check, Test: list === undefined ? ['CMD-SHELL', command] : ['CMD', ...list] };
}

function option(name: string, value: string): HealthConfig {
  const field = DURATIONS.get(name);
  if (field !== undefined) {
    const seconds = parseDuration(value);
    if (seconds === undefined) throw malformedChange(`time: invalid duration "${value}"`);
    return { [field]: Math.round(seconds * 1e9) };
  }
  if (name === 'retries') return { Retries: decodeInteger('retries', value) ?? 0 };
  throw malformedChange(`unknown flag: --${name}`);
}
