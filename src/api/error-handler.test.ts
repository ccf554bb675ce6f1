import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError, type ErrorKind } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { logFailure, toErrorAnswer } from './error-handler.ts';

const STATUSES: readonly (readonly [ErrorKind, number])[] = [
  ['invalid-argument', 400],
  ['unauthorized', 401],
  ['forbidden', 403],
  ['not-found', 404],
  ['conflict', 409],
  ['not-implemented', 501],
  ['unavailable', 503],
  ['cancelled', 500],
  ['deadline', 500],
  ['corrupt', 500],
  ['internal', 500],
];

for (const [kind, status] of STATUSES) {
  test(`an error of kind ${kind} answers ${status}`, () => {
    assert.deepEqual(toErrorAnswer(new EngineError(kind, 'text')), { status, message: 'text' });
  });
}

test('the kind is found behind causes and suppressed errors', () => {
  const inner = new EngineError('conflict', 'in use');
  const outer = new Error('outer', { cause: inner });
  assert.equal(toErrorAnswer(outer).status, 409);
  const suppressed = Object.assign(new Error('dispose failed'), { suppressed: inner });
  assert.deepEqual(toErrorAnswer(suppressed), { status: 409, message: 'in use' });
});

test('anything else is a 500 with its own text', () => {
  assert.deepEqual(toErrorAnswer('odd'), { status: 500, message: 'odd' });
});

test('mistakes of clients are logged at debug, ours as errors', () => {
  const levels: string[] = [];
  const note = (level: string) => () => void levels.push(level);
  const logger: Logger = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
  };
  logFailure(logger, 'GET /', new EngineError('not-found', 'x'));
  logFailure(logger, 'GET /', new EngineError('cancelled', 'x'));
  logFailure(logger, 'GET /', new Error('x'));
  assert.deepEqual(levels, ['debug', 'debug', 'error']);
});
