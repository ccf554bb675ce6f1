/** `RUN --mount=…` (Dockerfile reference). */

import { parseError, suggestion } from '../../dockerfile/dockerfile-errors.ts';
import type { SourceRange } from '../../dockerfile/source-place.ts';

/** A mount as asked for. */
export interface MountOptions {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly target: string | undefined;
  readonly source: string | undefined;
  readonly from: string | undefined;
  readonly id: string | undefined;
  readonly readOnly: boolean | undefined;
  readonly required: boolean;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly sizeBytes: number | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Name of the variable that has the secret. */
  readonly env: string | undefined;
}

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const SHARINGS = ['shared', 'private', 'locked'] as const;
/** Every key, with the one that stands for it. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ...['type', 'from', 'source', 'target', 'readonly', 'readwrite', 'id', 'sharing', 'required']
    .concat('size', 'mode', 'uid', 'gid', 'env')
    .map((key): [string, string] => [key, key]),
  ['src', 'source'],
  ['dst', 'target'],
  ['destination', 'target'],
  ['ro', 'readonly'],
  ['rw', 'readwrite'],
]);
const SWITCHES = ['readonly', 'readwrite', 'required'];
const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `invalid-argument` with BuildKit's text and the line. */
export function parseMount(text: string, range: SourceRange): MountOptions {
  const fields = readFields(text, range);
  const type = oneOf(
    { name: 'type', fields, choices: TYPES, fallback: 'bind' },
    range,
    () =>
      `unsupported mount type "${fields.get('type')}"${suggestion(fields.get('type') ?? '', TYPES)}`,
  );
  const mount: MountOptions = {
    type,
    target: fields.get('target'),
    source: fields.get('source'),
    from: fields.get('from'),
    id: fields.get('id'),
    readOnly: readOnlyOf(fields, range),
    required: isTrue(fields, 'required', range),
    sharing: oneOf(
      { name: 'sharing', fields, choices: SHARINGS, fallback: 'shared' },
      range,
      () => `unsupported sharing value "${fields.get('sharing')}"`,
    ),
    sizeBytes: sizeOf(fields.get('size'), range),
    mode: numberOf(fields, 'mode', range),
    uid: numberOf(fields, 'uid', range),
    gid: numberOf(fields, 'gid', range),
    env: fields.get('env'),
  };
  checkTarget(mount, range);
  return mount;
}

function readFields(text: string, range: SourceRange): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const given = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase();
    const key = KEYS.get(given);
    if (key === undefined) {
      throw parseError(
        range,
        `unexpected key '${given}' in '${part}'${suggestion(given, KEYS.keys())}`,
      );
    }
    if (at < 0 && !SWITCHES.includes(key)) {
      throw parseError(range, `invalid field '${part}' must be a key=value pair`);
    }
    fields.set(key, at < 0 ? 'true' : part.slice(at + 1));
  }
  return fields;
}

function oneOf<const Choice extends string>(
  field: {
    readonly name: string;
    readonly fields: ReadonlyMap<string, string>;
    readonly choices: readonly Choice[];
    readonly fallback: Choice;
  },
  range: SourceRange,
  problem: () => string,
): Choice {
  const value = field.fields.get(field.name);
  if (value === undefined) return field.fallback;
  const choice = field.choices.find((one) => one === value.toLowerCase());
  if (choice === undefined) throw parseError(range, problem());
  return choice;
}

function isTrue(fields: ReadonlyMap<string, string>, key: string, range: SourceRange): boolean {
  const value = fields.get(key) ?? 'false';
  if (/^(?:true|1|t)$/i.test(value)) return true;
  if (/^(?:false|0|f)$/i.test(value)) return false;
  throw parseError(range, `invalid value for ${key}: ${value}`);
}

function readOnlyOf(fields: ReadonlyMap<string, string>, range: SourceRange): boolean | undefined {
  if (fields.has('readonly')) return isTrue(fields, 'readonly', range);
  return fields.has('readwrite') ? !isTrue(fields, 'readwrite', range) : undefined;
}

function numberOf(
  fields: ReadonlyMap<string, string>,
  key: 'mode' | 'uid' | 'gid',
  range: SourceRange,
): number | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  const number = Number.parseInt(value, key === 'mode' ? 8 : 10);
  if (!/^[0-7]+$|^\d+$/.test(value) || Number.isNaN(number)) {
    throw parseError(range, `invalid value ${value} for ${key}`);
  }
  return number;
}

function sizeOf(text: string | undefined, range: SourceRange): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(text) ?? [];
  if (number === undefined) throw parseError(range, `invalid value for size: ${text}`);
  return Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
}

function checkTarget({ type, target, id, env, source }: MountOptions, range: SourceRange): void {
  if (type === 'secret' && target === undefined && env === undefined && !(id ?? source)) {
    throw parseError(range, 'invalid secret mount. one of source, target required');
  }
  if (target === undefined && (type === 'cache' || type === 'tmpfs' || type === 'bind')) {
    throw parseError(range, `invalid mount config for type "${type}": target is required`);
  }
  if (target === '' || target === '/') {
    throw parseError(range, `invalid mount target "${target}"`);
  }
}
