import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeSpec, UNLIMITED } from './encode-spec.ts';

test('unlimited is written in all its digits, and only there', () => {
  const process = {
    terminal: false,
    user: { uid: 0, gid: 0 },
    args: ['echo', '18446744073709552000'],
    env: [],
    cwd: '/',
    rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: UNLIMITED }],
  };
  const text = encodeSpec(process);
  assert.match(text, /"hard":18446744073709551615/);
  assert.match(text, /"echo","18446744073709552000"/);
});
