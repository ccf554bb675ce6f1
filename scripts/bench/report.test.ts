import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toJson, toTable } from './report.ts';

const COLUMNS = [
  {
    name: 'ours',
    readings: new Map([
      ['run, ms', 50],
      ['exec, ms', 5],
    ]),
  },
  { name: 'theirs', readings: new Map([['run, ms', 100]]) },
];

test('the table has a ratio where both have a number and a dash where one has none', () => {
  assert.equal(
    toTable(COLUMNS),
    [
      '          ours       theirs',
      'run, ms     50  100 (0.50x)',
      'exec, ms  5.00            –',
    ].join('\n'),
  );
});

test('the data has every number under its engine', () => {
  assert.deepEqual(JSON.parse(toJson(COLUMNS)), {
    ours: { 'run, ms': 50, 'exec, ms': 5 },
    theirs: { 'run, ms': 100 },
  });
});

test('what a peer cannot do is told with its reason, in the table and in the data', () => {
  const failures = new Map([['networks', 'Disk quota exceeded']]);
  const columns = [...COLUMNS, { name: 'peer', readings: new Map(), failures }];
  assert.match(toTable(columns), /\npeer: networks is not measurable here: Disk quota exceeded$/);
  assert.deepEqual(JSON.parse(toJson(columns)).peer, {
    'not measurable': { networks: 'Disk quota exceeded' },
  });
});
