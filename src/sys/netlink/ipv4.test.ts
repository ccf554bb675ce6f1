import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatIpv4,
  formatPrefix,
  lastAddressOf,
  networkOf,
  parseIpv4,
  parsePrefix,
  prefixesOverlap,
} from './ipv4.ts';

const prefix = (text: string) => parsePrefix(text) ?? assert.fail(text);

test('addresses survive parsing and formatting, the highest ones included', () => {
  for (const text of ['0.0.0.0', '10.0.2.100', '172.17.0.1', '255.255.255.255']) {
    assert.equal(formatIpv4(parseIpv4(text) ?? -1), text);
  }
});

test('what is not a dotted quad is refused', () => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.-4', '::1']) {
    assert.equal(parseIpv4(text), undefined, text);
  }
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '10.0.0.0/8/8']) {
    assert.equal(parsePrefix(text), undefined, text);
  }
});

test('a prefix knows its first and last address', () => {
  assert.equal(formatPrefix(networkOf(prefix('192.168.37.5/20'))), '192.168.32.0/20');
  assert.equal(formatIpv4(lastAddressOf(prefix('192.168.37.5/20'))), '192.168.47.255');
  assert.equal(formatIpv4(lastAddressOf(prefix('0.0.0.0/0'))), '255.255.255.255');
});

test('prefixes overlap when one contains the other', () => {
  assert.equal(prefixesOverlap(prefix('172.17.0.0/16'), prefix('172.17.5.0/24')), true);
  assert.equal(prefixesOverlap(prefix('10.0.0.0/8'), prefix('10.255.0.0/16')), true);
  assert.equal(prefixesOverlap(prefix('172.17.0.0/16'), prefix('172.18.0.0/16')), false);
});
