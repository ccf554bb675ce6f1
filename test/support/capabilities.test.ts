import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram, requires } from './capabilities.ts';

test('a program of the system is found by name and an unknown one is not', () => {
  assert.match(findProgram('sh') ?? '', /\/sh$/);
  assert.equal(findProgram('no-such-program-anywhere'), undefined);
});

test('a capability that was promised and is missing is an error, not a skip', () => {
  const before = process.env['REQUIRE_CAPS'];
  const path = findProgram('slirp4netns');
  process.env['REQUIRE_CAPS'] = 'slirp4netns';
  try {
    if (path === undefined) assert.throws(() => requires('slirp4netns'), /must have: slirp4netns/);
    else assert.deepEqual(requires('slirp4netns'), { skip: false });
  } finally {
    if (before === undefined) delete process.env['REQUIRE_CAPS'];
    else process.env['REQUIRE_CAPS'] = before;
  }
});
