import assert from 'node:assert/strict';
import { it } from 'node:test';
import { accountIds } from './account-ids.ts';

const TEXTS = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/:/bin/false\n',
  group: 'root:x:0:\nstaff:x:50:web\n',
};

it('ids come from names and numbers', () => {
  const cases: Record<string, [number, number]> = {
    web: [33, 34],
    'web:staff': [33, 50],
    'web:7': [33, 7],
    33: [33, 34],
    1234: [1234, 0],
    '1234:staff': [1234, 50],
    'root:': [0, 0],
  };
  for (const [user, [uid, gid]] of Object.entries(cases)) {
    assert.deepEqual(accountIds(user, TEXTS), { uid, gid }, user);
  }
});

it('unknown names are refused', () => {
  assert.throws(() => accountIds('nobody', TEXTS), /unable to find user nobody/);
  assert.throws(() => accountIds('web:wheel', TEXTS), /unable to find user wheel/);
});
