import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.ts';

test('the value is returned as soon as the look gives one', async () => {
  let looks = 0;
  const value = await eventually(() => (++looks < 3 ? undefined : 'there'), { everyMs: 1 });
  assert.equal(value, 'there');
  assert.equal(looks, 3);
});

test('a look that keeps throwing ends in an error that carries the last failure', async () => {
  const failing = () => {
    throw new Error('port closed');
  };
  await assert.rejects(eventually(failing, { withinMs: 5, everyMs: 1 }), /at last: port closed/);
});
