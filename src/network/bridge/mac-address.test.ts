import assert from 'node:assert/strict';
import { test } from 'node:test';
import { macOfAddress, parseMacAddress } from './mac-address.ts';

test('an address is derived from the IPv4 address', () => {
  assert.equal(macOfAddress(0xac110002), '02:42:ac:11:00:02');
  assert.equal(macOfAddress(0xc0a80a0b), '02:42:c0:a8:0a:0b');
});

test('addresses of single interfaces are accepted in any spelling', () => {
  assert.equal(parseMacAddress('92:D0:C6:0A:29:33'), '92:d0:c6:0a:29:33');
  assert.equal(parseMacAddress('92-d0-c6-0a-29-33'), '92:d0:c6:0a:29:33');
});

test('anything else is refused', () => {
  for (const text of [
    '',
    '92:d0:c6:0a:29',
    '01:00:5e:00:00:01',
    '00:00:00:00:00:00',
    'g'.repeat(17),
  ]) {
    assert.equal(parseMacAddress(text), undefined, text);
  }
});
