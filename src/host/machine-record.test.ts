import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../shared/errors.ts';
import { decodeMachineRecord } from './machine-record.ts';

const process = { pid: 1, startTicks: 2, bootId: 'b' };
const record = { v: 1, anchor: { process, userNamespace: 3 }, apiListeners: [] };

test('a record of a machine that was never finished is still a record', () => {
  assert.deepEqual(decodeMachineRecord(JSON.stringify(record), '/m'), record);
});

test('a record of another layout is refused with path and field', () => {
  const newer = JSON.stringify({ ...record, v: 2 });
  assert.throws(
    () => decodeMachineRecord(newer, '/m'),
    (error) =>
      error instanceof EngineError && error.kind === 'corrupt' && /^\/m: v:/.test(error.message),
  );
});

test('half a file is refused', () => {
  assert.throws(() => decodeMachineRecord('{"v":1', '/m'), /^EngineError: \/m: /);
});
