import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addTallies, closingLine, parseTap, singleResult } from './tally.ts';

const REPORT = `TAP version 13
# Subtest: needs a thing
ok 1 - needs a thing # SKIP needs tmux
ok 2 - works
1..2
# tests 5
# suites 1
# pass 2
# fail 1
# cancelled 1
# skipped 1
# todo 0
# duration_ms 12.5
`;

test('totals of a report count cancelled tests as failed', () => {
  const tally = parseTap(REPORT);
  assert.deepEqual(tally, {
    passed: 2,
    failed: 2,
    skipped: 1,
    skipReasons: ['needs a thing: needs tmux'],
  });
});

test('a report that was cut short or counted nothing has no totals', () => {
  assert.equal(parseTap('TAP version 13\nok 1 - works\n'), undefined);
  assert.equal(parseTap(REPORT.replaceAll(/[1-9]+$/gm, '0')), undefined);
});

test('the closing line names skips only when there are some', () => {
  const both = addTallies([singleResult(true), singleResult(false)]);
  assert.equal(closingLine(both), '1 passed, 1 failed');
  assert.equal(closingLine({ ...both, skipped: 3 }), '1 passed, 1 failed, 3 skipped');
});
