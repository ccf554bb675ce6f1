import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goDuration } from './go-duration.ts';
import { ProbeOutput } from './probe-output.ts';

test('short output is kept whole', () => {
  const output = new ProbeOutput();
  output.add(Buffer.from('one '));
  output.add(Buffer.from('two'));
  assert.equal(output.text(), 'one two');
});

test('long output is cut at 4096 bytes, visibly', () => {
  const output = new ProbeOutput();
  for (let at = 0; at < 5; at++) output.add(Buffer.from('x'.repeat(1000)));
  assert.equal(output.text(), `${'x'.repeat(4096)}...`);
});

test('durations read as Go prints them', () => {
  const texts = [500, 1_000, 1_500, 30_000, 60_000, 90_500, 3_600_000].map(goDuration);
  assert.deepEqual(texts, ['500ms', '1s', '1.5s', '30s', '1m0s', '1m30.5s', '1h0m0s']);
});
