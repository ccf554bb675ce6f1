import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../shared/errors.ts';
import { decodeCaller, decodeEngineMessage, decodeHostMessage } from './messages.ts';

const isCorrupt = (error: unknown) => error instanceof EngineError && error.kind === 'corrupt';

test('the first message tells an operator from an engine', () => {
  assert.equal(decodeCaller({ type: 'operator-stop', protocol: 1 }).type, 'operator-stop');
  const hello = { type: 'engine-hello', pid: 1, version: '1', protocol: 1, listeners: [] };
  assert.deepEqual(decodeCaller(hello), hello);
});

test('unknown fields are ignored', () => {
  assert.deepEqual(decodeEngineMessage({ type: 'engine-ready', later: true }), {
    type: 'engine-ready',
    warnings: [],
  });
});

test('an unknown type is an error', () => {
  assert.throws(() => decodeHostMessage({ type: 'dance' }), isCorrupt);
});

test('the error names the field that is wrong', () => {
  const request = { op: 'open-listener', protocol: 'sctp', hostIp: '', hostPort: 1, token: 't' };
  assert.throws(
    () => decodeEngineMessage({ type: 'request', id: 1, request }),
    /request\.protocol/,
  );
});

test('a refusal keeps one of the known kinds', () => {
  const refusal = { kind: 'strange', message: 'x' };
  assert.throws(() => decodeHostMessage({ type: 'refused', id: 1, refusal }), isCorrupt);
});
