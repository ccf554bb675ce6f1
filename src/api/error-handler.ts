/** The only place that turns an error into an HTTP status. */
import { type ErrorKind, findEngineError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

const STATUS = {
  'invalid-argument': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-implemented': 501,
  unavailable: 503,
  cancelled: 500,
  deadline: 500,
  corrupt: 500,
  internal: 500,
} as const satisfies Record<ErrorKind, number>;

/** An error as the client sees it. */
export interface ErrorAnswer {
  readonly status: (typeof STATUS)[ErrorKind];
  readonly message: string;
}

/** Status and message of anything thrown. The outermost message wins: it carries the context. */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  const found = findEngineError(error);
  if (found === undefined) return { status: 500, message: messageOf(error) };
  return { status: STATUS[found.kind], message: found.message };
}

/** Writes the one log line of a failed request: the client's mistakes at debug, ours at error. */
export function logFailure(logger: Logger, request: string, error: unknown): void {
  const { status, message } = toErrorAnswer(error);
  const hungUp = findEngineError(error)?.kind === 'cancelled';
  if (status < 500 || status === 501 || hungUp) {
    logger.debug(`${request} failed`, { status, message });
  } else {
    logger.error(`${request} failed`, { status, error });
  }
}
