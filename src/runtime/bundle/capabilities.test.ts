import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilitiesOfMask, chooseCapabilities, toSpecCapabilities } from './capabilities.ts';

const all = capabilitiesOfMask((1n << 41n) - 1n);
const choose = (add: readonly string[], drop: readonly string[], privileged = false) =>
  chooseCapabilities({ privileged, add, drop }, all);

test('a container has the fourteen capabilities of Docker by default', () => {
  assert.equal(choose([], []).length, 14);
  assert.ok(choose([], []).includes('CAP_NET_RAW'));
  assert.ok(!choose([], []).includes('CAP_SYS_ADMIN'));
});

test('names count with and without prefix, in any case', () => {
  assert.ok(choose(['sys_admin'], []).includes('CAP_SYS_ADMIN'));
  assert.ok(!choose([], ['CAP_CHOWN']).includes('CAP_CHOWN'));
});

test('dropping all leaves only what is added', () => {
  assert.deepEqual(choose(['NET_ADMIN'], ['ALL']), ['CAP_NET_ADMIN']);
});

test('adding all leaves out what is dropped', () => {
  assert.equal(choose(['ALL'], ['MKNOD']).length, 40);
});

test('a privileged container has everything that there is', () => {
  assert.equal(choose([], [], true).length, 41);
});

test('a name that nobody knows is refused', () => {
  assert.throws(() => choose(['FLY'], []), /unknown capability: "CAP_FLY"/);
});

test('what we do not have ourselves is not promised', () => {
  const few = capabilitiesOfMask(1n);
  assert.deepEqual(chooseCapabilities({ privileged: true, add: [], drop: [] }, few), ['CAP_CHOWN']);
});

test('an ordinary user holds none at first, root holds all of them', () => {
  assert.deepEqual(toSpecCapabilities(['CAP_KILL'], 1000).effective, []);
  assert.deepEqual(toSpecCapabilities(['CAP_KILL'], 1000).bounding, ['CAP_KILL']);
  assert.deepEqual(toSpecCapabilities(['CAP_KILL'], 0).effective, ['CAP_KILL']);
});
