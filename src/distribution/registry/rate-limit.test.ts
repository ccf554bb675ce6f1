import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRateLimit, describeRefusal } from './rate-limit.ts';

test('limits are told with their window, and not where a registry names none', () => {
  const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
  assert.equal(describeRateLimit(headers), '76 of 100 pulls left in 6 hours');
  assert.equal(describeRateLimit({ 'ratelimit-remaining': '3' }), '3 pulls left');
  assert.equal(describeRateLimit({}), undefined);
  assert.equal(describeRateLimit({ 'ratelimit-limit': 'many' }), undefined);
});

test('a refusal tells the limit and when to come back', () => {
  const headers = { 'ratelimit-limit': '10;w=90', 'ratelimit-remaining': '0;w=90' };
  assert.equal(
    describeRefusal({ ...headers, 'retry-after': '240' }),
    ' (0 of 10 pulls left in 90 seconds; try again in 4 minutes)',
  );
  const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
  assert.equal(describeRefusal({ 'retry-after': date }), ` (try again after ${date})`);
  assert.equal(describeRefusal({}), '');
});
