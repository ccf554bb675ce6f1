import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatIpv6,
  formatIpv6Prefix,
  ipv6NetworkOf,
  ipv6PrefixesOverlap,
  lastIpv6AddressOf,
  parseIpv6,
  parseIpv6Prefix,
} from './ipv6.ts';

const prefix = (text: string) => parseIpv6Prefix(text) ?? assert.fail(text);

test('every notation of an address is read, and written the shortest way', () => {
  const cases = [
    ['fd00:0:0:0:0:0:0:1', 'fd00::1'],
    ['FD00::ABCD:0:0:1', 'fd00::abcd:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['fe80::', 'fe80::'],
  ];
  for (const [text = '', shortest] of cases) {
    assert.equal(formatIpv6(parseIpv6(text) ?? assert.fail(text)), shortest);
  }
  for (const text of ['', '10.0.0.1', 'fe80::1%eth0', 'fd00::1::2', 'g::']) {
    assert.equal(parseIpv6(text), undefined, text);
  }
});

test('prefixes have a network, a last address and overlaps', () => {
  assert.equal(formatIpv6Prefix(ipv6NetworkOf(prefix('fd00::1:2/112'))), 'fd00::1:0/112');
  assert.equal(formatIpv6(lastIpv6AddressOf(prefix('fd00::/64'))), 'fd00::ffff:ffff:ffff:ffff');
  assert.equal(ipv6PrefixesOverlap(prefix('fd00::/16'), prefix('fd00:1::/64')), true);
  assert.equal(ipv6PrefixesOverlap(prefix('fd00:2::/64'), prefix('fd00:1::/64')), false);
  for (const text of ['fd00::', 'fd00::/129', 'fd00::/', '10.0.0.0/8']) {
    assert.equal(parseIpv6Prefix(text), undefined, text);
  }
});
