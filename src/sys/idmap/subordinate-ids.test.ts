import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseUnclaimed, parseSubordinateIds } from './subordinate-ids.ts';

const FILE = `# comment
alice:100000:65536
bob:165536:65536
1001:300000:1000
alice:broken
alice:400000:0
`;

describe('subordinate ids', () => {
  it('are found by name and by uid', () => {
    assert.deepEqual(parseSubordinateIds(FILE, { userName: 'alice', uid: 1001 }), [
      { start: 100_000, count: 65_536 },
      { start: 300_000, count: 1000 },
    ]);
  });

  it('are empty for a user who was granted none', () => {
    assert.deepEqual(parseSubordinateIds(FILE, { userName: 'carol', uid: 5 }), []);
  });
});

describe('choosing unclaimed ids for root', () => {
  it('begins after the grants of others', () => {
    const all = [{ start: 0, count: 4_294_967_295 }];
    const claimed = [{ start: 100_000, count: 131_072 }];
    assert.deepEqual(chooseUnclaimed(all, claimed), [{ start: 231_072, count: 65_536 }]);
  });

  it('takes the largest piece of a small nested map', () => {
    assert.deepEqual(chooseUnclaimed([{ start: 0, count: 65_536 }], []), [
      { start: 1, count: 65_535 },
    ]);
  });

  it('finds nothing where only root exists', () => {
    assert.deepEqual(chooseUnclaimed([{ start: 0, count: 1 }], []), []);
  });
});
