import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highestMappedGid, namespaceSettings } from './namespace-settings.ts';

test('the highest group is that of the extents that follow each other from zero', () => {
  const map = '         1     100000      65535\n         0       1001          1\n';
  assert.equal(highestMappedGid(map), 65535);
  assert.equal(highestMappedGid('0 1001 1\n'), 0);
  assert.equal(highestMappedGid('0 1001 1\n5 100000 10\n'), 0);
  assert.equal(highestMappedGid('0 0 4294967295\n'), 2147483647);
  assert.equal(highestMappedGid(''), 0);
});

test('containers may ping within the mapped groups', () => {
  const ping = namespaceSettings(65535).find(({ path }) => path.endsWith('ping_group_range'));
  assert.equal(ping?.value, '0 65535');
});
