import assert from 'node:assert/strict';
import { test } from 'node:test';
import { singleIdMap } from './choose-id-map.ts';
import { enterMachine } from './enter-machine.ts';

const anchor = { process: { pid: 42, startTicks: 1, bootId: 'b' }, userNamespace: 9 };
const caller = { uid: 1000, gid: 1001 };
const program = { file: '/usr/bin/node', args: ['engine.js', '--x'], env: { A: 'b' } };

test('the program follows the namespaces, after the end of options', () => {
  const idMap = { ...singleIdMap(caller), mode: 'subid' as const };
  assert.deepEqual(enterMachine(anchor, idMap, program), {
    file: 'nsenter',
    args: [
      '--target',
      '42',
      '--user',
      '--mount',
      '--',
      '/usr/bin/node',
      'engine.js',
      '--x',
      '--network-namespace',
      '/proc/42/ns/net',
    ],
    env: { A: 'b' },
  });
});

test('with a single id nothing tries to change groups, which the kernel would refuse', () => {
  const { args } = enterMachine(anchor, singleIdMap(caller), program);
  assert.ok(args.includes('--preserve-credentials'));
});

test('a single id makes the caller root', () => {
  assert.deepEqual(singleIdMap(caller).uids, [{ inside: 0, outside: 1000, count: 1 }]);
  assert.deepEqual(singleIdMap(caller).gids, [{ inside: 0, outside: 1001, count: 1 }]);
});
