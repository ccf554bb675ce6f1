/** What libraries need of a log. The implementation (consola) is chosen in `bin`. */

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** `fields.error` may hold the thrown value; the reporter prints its chain of causes. */
  error(message: string, fields?: LogFields): void;
}

const nothing = () => undefined;

/** Drops everything: for tests and for code that reports in another way. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
