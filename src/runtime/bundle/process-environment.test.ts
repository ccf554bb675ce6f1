import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildEnvironment } from './process-environment.ts';

const base = { hostname: 'h', terminal: false, home: '/root', given: [] };

test('path, host name and home are there without asking', () => {
  assert.deepEqual(buildEnvironment(base), [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=h',
    'HOME=/root',
  ]);
});

test('a terminal has a type', () => {
  assert.ok(buildEnvironment({ ...base, terminal: true }).includes('TERM=xterm'));
});

test('later values win, and a name alone removes its variable', () => {
  const given = [
    ['A=1', 'PATH=/bin', 'B=2'],
    ['A=3=4', 'B'],
  ];
  assert.deepEqual(buildEnvironment({ ...base, given }), [
    'PATH=/bin',
    'HOSTNAME=h',
    'A=3=4',
    'HOME=/root',
  ]);
});

test('entries without a name are left out', () => {
  assert.ok(!buildEnvironment({ ...base, given: [['=x']] }).includes('=x'));
});
