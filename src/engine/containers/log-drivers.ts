/** Log drivers and their options (`--log-driver`, `--log-opt`). */
import type { LogConfig } from '../../wire/container-config.ts';
import { invalidLogConfig } from './host-config-errors.ts';

/** The drivers with the options that Docker knows for each. `none` takes what it is given. */
const OPTIONS: Readonly<Record<string, readonly string[] | undefined>> = {
  'json-file': [
    ...['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'],
  ],
  local: ['max-size', 'max-file', 'compress'],
};
const DEFAULT_DRIVER = 'json-file';
const NO_DRIVER = 'none';
/** What every driver takes: how a slow one is waited for. */
const MODES = ['', 'blocking', 'non-blocking'];
/** Options that shape what is kept. */
const KEEPING = ['max-size', 'max-file', 'compress'];

/** The driver of a container after defaults. */
export function logDriver(logConfig: LogConfig | null | undefined): string {
  return logConfig?.Type || DEFAULT_DRIVER;
}

/** True when `docker logs` has nothing to read by the user's own wish. */
export function keepsNoLog(logConfig: LogConfig | null | undefined): boolean {
  return logDriver(logConfig) === NO_DRIVER;
}

/** Refuses drivers and options that do not exist here, with `invalid-argument` and Docker's texts. */
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
}

/** A sentence when options ask for a rotation that does not take place. */
export function logWarnings(logConfig: LogConfig | null | undefined): readonly string[] {
  const given = Object.keys(logConfig?.Config ?? {}).filter((option) => KEEPING.includes(option));
  if (given.length === 0 || keepsNoLog(logConfig)) return [];
  return [`The log options ${given.join(', ')} have no effect: logs are not rotated.`];
}
