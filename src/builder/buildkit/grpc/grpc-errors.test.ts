import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../../shared/errors.ts';
import { GRPC_CODE, readStatus, StatusError, statusOf, statusTrailers } from './grpc-errors.ts';

test('a status with details survives its way through trailers', () => {
  const status = {
    code: GRPC_CODE.unknown,
    message: 'Größe 100%\nzweite Zeile',
    details: [{ typeUrl: 'example/errdefs.Source+json', value: Buffer.from('{}') }],
  };
  const trailers = statusTrailers(status);
  assert.match(trailers['grpc-message'] ?? '', /^[\x20-\x7e]+$/);
  const read = readStatus(trailers);
  assert.equal(read?.message, status.message);
  assert.equal(Buffer.from(read?.details[0]?.value ?? []).toString(), '{}');
});

test('trailers without a status say nothing', () => {
  assert.equal(readStatus({}), undefined);
});

test('errors of a build are of no special code, so that clients print the message alone', () => {
  assert.equal(statusOf(new EngineError('invalid-argument', 'no')).code, GRPC_CODE.unknown);
  assert.equal(statusOf(new Error('no')).code, GRPC_CODE.unknown);
  assert.equal(statusOf(new EngineError('cancelled', 'no')).code, GRPC_CODE.cancelled);
});

test('an error that came from the other side is passed on as it is', () => {
  const status = { code: GRPC_CODE.notFound, message: 'gone', details: [] };
  const error = new StatusError(status);
  assert.equal(error.kind, 'not-found');
  assert.equal(statusOf(error), status);
});
