import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHealthcheck } from './check-healthcheck.ts';

test('zero means the default, and a millisecond is enough', () => {
  checkHealthcheck(undefined);
  checkHealthcheck({ Interval: 0, Timeout: 1_000_000, Retries: 0 });
});

for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval']) {
  test(`a ${field} below a millisecond is refused`, () => {
    assert.throws(() => checkHealthcheck({ [field]: 999_999 }), {
      kind: 'invalid-argument',
      message: `${field} in Healthcheck cannot be less than 1ms`,
    });
  });
}

test('negative retries are refused', () => {
  const message = 'Retries in Healthcheck cannot be negative';
  assert.throws(() => checkHealthcheck({ Retries: -1 }), { kind: 'invalid-argument', message });
});
