import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRuntimeFailure, plainMessage } from './parse-failure.ts';

test('the last error of a JSON log is the message', () => {
  const log =
    '{"level":"warning","msg":"a"}\n{"level":"error","msg":"b"}\n{"level":"warning","msg":"c"}\n';
  assert.equal(plainMessage(log), 'b');
});

test('the message of a keyed log line is unquoted', () => {
  const line = 'time="2026-11-24T07:56:26Z" level=error msg="exec: \\"x\\": not found"';
  assert.equal(plainMessage(line), 'exec: "x": not found');
});

test('plain text is taken as it is, and silence is named', () => {
  assert.equal(plainMessage('clone: Operation not permitted\n'), 'clone: Operation not permitted');
  assert.equal(plainMessage(''), 'the runtime gave no reason');
});

test('a message of no known form is passed on with exit code 128', () => {
  const failure = parseRuntimeFailure('clone: Operation not permitted', {
    operation: 'create',
    program: 'sh',
  });
  assert.deepEqual(failure, {
    text: 'create failed: clone: Operation not permitted',
    exitCode: 128,
  });
});
