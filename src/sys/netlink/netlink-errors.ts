/** Errors of requests to the kernel's routing interface. */
import { EngineError } from '../../shared/errors.ts';
import { errnoCode, systemError } from '../system-errors.ts';
import type { Acknowledgement } from './netlink-message.ts';

/** A request that the kernel refused; `details.code` has the errno's name (`EEXIST`, `ENODEV`, …). */
export function requestRefused(purpose: string, refusal: Acknowledgement): EngineError {
  const error = systemError({ call: purpose, errno: refusal.errno });
  if (refusal.explanation === '') return error;
  return new EngineError(error.kind, `${error.message} (${refusal.explanation})`, {
    details: error.details,
  });
}

/** The kernel's answers do not add up: no acknowledgement within the time limit, or an unreadable one. */
export function answerMissing(purpose: string, cause: unknown): EngineError {
  const code = errnoCode(cause);
  return new EngineError('internal', `${purpose}: no answer from the kernel`, {
    cause,
    ...(code === undefined ? {} : { details: { code } }),
  });
}

/** The kernel accepted a question about a link and then did not describe it. */
export function linkNotReported(name: string): EngineError {
  return new EngineError('internal', `link ${name}: the kernel did not describe it`);
}
