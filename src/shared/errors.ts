/** The one error class of the project and the closed set of kinds that the API turns into statuses. */

/** What went wrong, in terms a caller can act on. `api/error-handler.ts` maps each kind to one HTTP status. */
export type ErrorKind =
  | 'invalid-argument'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'not-implemented'
  | 'unavailable'
  | 'cancelled'
  | 'deadline'
  | 'corrupt'
  | 'internal';

/** Extra facts of an error that are safe to log and to show. */
export type ErrorDetails = Readonly<Record<string, string>>;

/**
 * An error with exactly one kind. Made only by the factories of `*-errors.ts` files and by driver ports.
 * `message` is what the client reads: Docker's own text where Docker has one.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(
    kind: ErrorKind,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.details = options.details ?? {};
  }
}

/** The first `EngineError` in the chain of causes (and of suppressed errors), if there is one. */
export function findEngineError(error: unknown): EngineError | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 16 && current instanceof Error; depth++) {
    if (current instanceof EngineError) return current;
    current = 'suppressed' in current ? current.suppressed : current.cause;
  }
  return undefined;
}

/** The kind of `error`, `internal` when it carries none. */
export function kindOf(error: unknown): ErrorKind {
  return findEngineError(error)?.kind ?? 'internal';
}

/** Adds a clause of context in front of `error`, keeping its kind unless `kind` says better. */
export function wrapError(error: unknown, context: string, kind?: ErrorKind): EngineError {
  const inner = findEngineError(error);
  return new EngineError(kind ?? inner?.kind ?? 'internal', `${context}: ${messageOf(error)}`, {
    cause: error,
    ...(inner === undefined ? {} : { details: inner.details }),
  });
}

/** A readable text for anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (`ENOENT`, `EADDRINUSE`, …), if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Throws when `condition` is false: a mistake in this program, not in its input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new EngineError('internal', message, { details: { bug: 'true' } });
}

/** For the default branch of a switch that must be exhaustive. */
export function assertNever(value: never): never {
  throw new EngineError('internal', `unexpected value ${JSON.stringify(value)}`, {
    details: { bug: 'true' },
  });
}
