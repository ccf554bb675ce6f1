import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leavesRoom } from './key-quota.ts';

const users = (keys: string, bytes: string) =>
  `    0:    10 10/10 ${keys} ${bytes}\n  999:     1 1/1 200/200 20000/20000\n`;

test('keyrings are made while most of the quota of keys and bytes is free', () => {
  assert.equal(leavesRoom(users('1/200', '65/20000')), true);
  assert.equal(leavesRoom(users('100/200', '9000/20000')), false);
  assert.equal(leavesRoom(users('10/200', '10001/20000')), false);
  assert.equal(leavesRoom(''), true);
});
