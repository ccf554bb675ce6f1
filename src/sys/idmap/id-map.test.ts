import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIdMap, idMapArguments, mappedIdCount, parseIdMap, planIdMap } from './id-map.ts';
import { intersectRanges, subtractRanges } from './id-ranges.ts';

const EVERYTHING = [{ start: 0, count: 4_294_967_295 }];

describe('planning an id map', () => {
  it('maps root to the caller and the rest to the subordinate ids', () => {
    const subordinate = [{ start: 100_000, count: 65_536 }];
    const map = planIdMap({ callerId: 1001, subordinate, available: EVERYTHING });
    assert.equal(formatIdMap(map), '0 1001 1\n1 100000 65536\n');
    assert.deepEqual(idMapArguments(map), ['0', '1001', '1', '1', '100000', '65536']);
    assert.equal(mappedIdCount(map), 65_537);
  });

  it('has the caller alone when there are no subordinate ids', () => {
    const map = planIdMap({ callerId: 1001, subordinate: [], available: EVERYTHING });
    assert.equal(formatIdMap(map), '0 1001 1\n');
  });

  it('joins several ranges into one run of ids inside', () => {
    const subordinate = [
      { start: 200_000, count: 10 },
      { start: 300_000, count: 5 },
    ];
    const map = planIdMap({ callerId: 0, subordinate, available: EVERYTHING });
    assert.equal(formatIdMap(map), '0 0 1\n1 200000 10\n11 300000 5\n');
  });

  it('keeps to the ids that exist when nested', () => {
    const available = parseIdMap(
      '         0       1001          1\n         1     100000      65535\n',
    ).map(({ inside, count }) => ({ start: inside, count }));
    const subordinate = [{ start: 60_000, count: 65_536 }];
    const map = planIdMap({ callerId: 0, subordinate, available });
    assert.equal(formatIdMap(map), '0 0 1\n1 60000 5536\n');
  });

  it('never maps the caller twice', () => {
    const subordinate = [{ start: 1000, count: 3 }];
    const map = planIdMap({ callerId: 1001, subordinate, available: EVERYTHING });
    assert.equal(formatIdMap(map), '0 1001 1\n1 1000 1\n2 1002 1\n');
  });
});

describe('id ranges', () => {
  it('intersect piece by piece', () => {
    const within = [
      { start: 0, count: 10 },
      { start: 20, count: 10 },
    ];
    assert.deepEqual(intersectRanges([{ start: 5, count: 20 }], within), [
      { start: 5, count: 5 },
      { start: 20, count: 5 },
    ]);
  });

  it('lose what is taken at either end and in the middle', () => {
    assert.deepEqual(
      subtractRanges(
        [{ start: 0, count: 10 }],
        [
          { start: 0, count: 2 },
          { start: 4, count: 1 },
          { start: 8, count: 50 },
        ],
      ),
      [
        { start: 2, count: 2 },
        { start: 5, count: 3 },
      ],
    );
  });

  it('stay whole when the hole is elsewhere', () => {
    const ranges = [{ start: 10, count: 5 }];
    assert.deepEqual(subtractRanges(ranges, [{ start: 0, count: 10 }]), ranges);
    assert.deepEqual(subtractRanges(ranges, [{ start: 15, count: 10 }]), ranges);
  });
});
