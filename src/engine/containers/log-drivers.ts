/** Log drivers and their options (`--log-driver`, `--log-opt`): which exist, and what they are told. */
import type { LogConfig } from '../../wire/container-config.ts';
import { invalidLogConfig } from './host-config-errors.ts';

const JOURNAL_DRIVER = 'journald';
const SHARED_OPTIONS = ['labels', 'labels-regex', 'env', 'env-regex', 'tag'];
/** The drivers with the options that Docker knows for each. `none` takes what it is given. */
const OPTIONS: Readonly<Record<string, readonly string[] | undefined>> = {
  'json-file': ['max-size', 'max-file', 'compress', ...SHARED_OPTIONS],
  local: ['max-size', 'max-file', 'compress'],
  [JOURNAL_DRIVER]: SHARED_OPTIONS,
};
const DEFAULT_DRIVER = 'json-file';
const NO_DRIVER = 'none';
/** What every driver takes: how a slow one is waited for. */
const MODES = ['', 'blocking', 'non-blocking'];
/**
 * Docker's own limits of the driver `local`. With `journald` they are those of what `docker logs` reads; how long the
 * journal keeps its entries is the machine's affair.
 */
const LOCAL_LIMITS = { maxBytes: 20 << 20, maxFiles: 5, compresses: true };
const NO_LIMITS = { maxBytes: undefined, maxFiles: 1, compresses: false };
/** The drivers that containers can have, for `docker info`. */
export const LOG_DRIVERS = Object.keys(OPTIONS).sort();
/** Suffixes of `max-size`, which counts in powers of ten. */
const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i;
const TRUE_WORDS = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE_WORDS = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** How much of a log is kept. */
export interface LogLimits {
  /** Size after which a new file is begun; absent without a limit. */
  readonly maxBytes?: number;
  readonly maxFiles: number;
  readonly compresses: boolean;
}

/** The driver of a container after defaults. */
export function logDriver(logConfig: LogConfig | null | undefined): string {
  return logConfig?.Type || DEFAULT_DRIVER;
}

/** True when `docker logs` has nothing to read by the user's own wish. */
export function keepsNoLog(logConfig: LogConfig | null | undefined): boolean {
  return logDriver(logConfig) === NO_DRIVER;
}

/** True when the machine's journal is given the output as well. */
export function writesToJournal(logConfig: LogConfig | null | undefined): boolean {
  return logDriver(logConfig) === JOURNAL_DRIVER;
}

/**
 * What a container is given: its own driver, else that of the daemon; the daemon's options go with the daemon's
 * driver, and each of the container's own comes first (Docker's rule).
 */
export function mergeLogConfig(
  given: LogConfig | null | undefined,
  daemon: {
    readonly driver: string | undefined;
    readonly options: Readonly<Record<string, string>>;
  },
): LogConfig & { readonly Type: string } {
  const daemonDriver = daemon.driver ?? DEFAULT_DRIVER;
  const driver = given?.Type || daemonDriver;
  const own = given?.Config ?? {};
  return {
    Type: driver,
    Config: driver === daemonDriver ? { ...daemon.options, ...own } : own,
  };
}

/** Refuses drivers, options and values that do not exist here, with `invalid-argument` and Docker's texts. */
export function checkLogConfig(logConfig: LogConfig | null | undefined): void {
  const driver = logDriver(logConfig);
  if (driver === NO_DRIVER) return;
  const known = OPTIONS[driver];
  if (known === undefined) {
    throw invalidLogConfig(`logger: no log driver named '${driver}' is registered`);
  }
  const { mode = '', ...options } = logConfig?.Config ?? {};
  if (!MODES.includes(mode)) throw invalidLogConfig(`logger: logging mode not supported: ${mode}`);
  for (const option of Object.keys(options)) {
    const fits = option === 'max-buffer-size' ? mode === 'non-blocking' : known.includes(option);
    if (!fits) throw invalidLogConfig(`unknown log opt '${option}' for ${driver} log driver`);
  }
  const buffer = options['max-buffer-size'];
  if (buffer !== undefined) sizeOf(buffer);
  logLimits(logConfig);
  for (const option of ['labels-regex', 'env-regex']) checkPattern(options[option]);
}

/** How much of the log is kept. `invalid-argument` for values that make no sense. */
export function logLimits(logConfig: LogConfig | null | undefined): LogLimits {
  const driver = logDriver(logConfig);
  const options = logConfig?.Config ?? {};
  const { maxBytes, maxFiles, compresses } = driver === 'json-file' ? NO_LIMITS : LOCAL_LIMITS;
  const size = options['max-size'] === undefined ? maxBytes : sizeOf(options['max-size']);
  const files = options['max-file'] === undefined ? maxFiles : fileCountOf(options['max-file']);
  const asked = options['compress'];
  const compress = asked === undefined ? compresses && files > 1 : truthOf('compress', asked);
  if (compress && (files < 2 || size === undefined)) {
    throw invalidLogConfig(
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    );
  }
  return {
    ...(size === undefined ? {} : { maxBytes: size }),
    maxFiles: files,
    compresses: compress,
  };
}

/** Undefined for Docker's `-1`, no limit. */
function sizeOf(text: string): number | undefined {
  if (text === '-1') return undefined;
  const [, number = '', unit = ''] = SIZE.exec(text) ?? [];
  const bytes = Number(number) * 1000 ** ' kmgtp'.indexOf(unit.toLowerCase() || ' ');
  if (number === '' || bytes < 1) throw invalidLogConfig(`invalid size: '${text}'`);
  return Math.trunc(bytes);
}

function fileCountOf(text: string): number {
  if (!/^\d+$/.test(text)) throw invalidLogConfig(`max-file: "${text}" is not a number of files`);
  const count = Number(text);
  if (count < 1) throw invalidLogConfig('max-file cannot be less than 1');
  return count;
}

function truthOf(option: string, text: string): boolean {
  if (TRUE_WORDS.includes(text)) return true;
  if (FALSE_WORDS.includes(text)) return false;
  throw invalidLogConfig(`${option}: "${text}" is neither true nor false`);
}

function checkPattern(pattern: string | undefined): void {
  try {
    if (pattern !== undefined) new RegExp(pattern);
  } catch (error) {
    throw invalidLogConfig(`error parsing regexp: \`${pattern}\``, error);
  }
}
