import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '../../shared/errors.ts';
import { DEFAULT_GC, decodeBuilder } from './builder-setting.ts';

const decodeGc = (gc: unknown) => decodeBuilder({ gc }, '"builder" in /c/daemon.json');

function refusal(gc: unknown): string {
  try {
    decodeGc(gc);
  } catch (error) {
    return messageOf(error);
  }
  return assert.fail('it was accepted');
}

test('without limits dockerd’s own hold', () => {
  assert.deepEqual(decodeBuilder({}, 'builder'), DEFAULT_GC);
  assert.deepEqual(decodeGc({ enabled: false }), { ...DEFAULT_GC, enabled: false });
});

test('a default limit takes the place of all of them, the older name included', () => {
  for (const name of ['defaultKeepStorage', 'defaultReservedSpace', 'DefaultReservedSpace']) {
    const { policies } = decodeGc({ [name]: '20GB' });
    const limits = policies.map(({ reservedSpace, maxUsedSpace }) => [reservedSpace, maxUsedSpace]);
    const given = [{ bytes: 20 * 1024 ** 3 }, undefined];
    assert.deepEqual(limits.slice(1), [given, given, given]);
  }
});

test('policies are taken in their order, with filters as dockerd writes them', () => {
  const policy = [
    { keepStorage: '512MB', filter: ['type=source.local,type==exec.cachemount', 'unused-for=48h'] },
    { maxUsedSpace: '10%', minFreeSpace: 1024, keepDuration: '72h', all: true },
  ];
  assert.deepEqual(decodeGc({ policy }).policies, [
    {
      all: false,
      keepDurationMs: 0,
      reservedSpace: { bytes: 512 * 1024 ** 2 },
      filter: { type: ['source.local', 'exec.cachemount'], 'unused-for': ['48h'] },
    },
    {
      all: true,
      keepDurationMs: 72 * 3600 * 1000,
      maxUsedSpace: { percent: 10 },
      minFreeSpace: { bytes: 1024 },
      filter: {},
    },
  ]);
});

test('an unknown key is refused with the nearest known one', () => {
  assert.match(refusal({ defaultKeepStorge: '1' }), /did you mean "defaultKeepStorage"/);
  assert.match(refusal({ policy: [{ maxUsdSpace: '1' }] }), /policy 1.*"maxUsedSpace"/);
});

for (const [what, gc, text] of [
  ['a size that is none', { defaultMaxUsedSpace: 'much' }, /"much" is neither a size nor/],
  ['a share above the whole', { defaultMaxUsedSpace: '120%' }, /120%/],
  ['an unknown filter', { policy: [{ filter: ['color=red'] }] }, /invalid filter 'color'/],
  ['a condition without value', { policy: [{ filter: ['type'] }] }, /not NAME=VALUE/],
  ['an age that is none', { policy: [{ keepDuration: 'long' }] }, /keepDuration "long"/],
  ['policies that are no list', { policy: {} }, /policy is not a list/],
] as const) {
  test(`${what} is refused`, () => assert.match(refusal(gc), text));
}
