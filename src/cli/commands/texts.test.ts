import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineReport } from '../../handshake/machine-report.ts';
import { completionScript } from './completion.ts';
import { describeContext } from './context.ts';
import { describeChecks } from './doctor.ts';
import { describeStatus } from './status.ts';
import { describeUp } from './up.ts';

const report: MachineReport = {
  state: 'running',
  version: '1',
  host: { pid: 1, alive: true },
  engine: { pid: 2, alive: false, version: '1', restarts: 3 },
  uplink: { driver: 'none', reason: 'no tun' },
  dataRoot: '/d',
  execRoot: '/e',
  hosts: ['unix:///s'],
  warnings: ['one id'],
  errors: ['broken'],
};

test('the status shows every part, what is wrong, and nothing that is not there', () => {
  const text = describeStatus(report);
  assert.match(text, /^engine: +pid 2 \(ended\), version 1, restarted 3 times$/m);
  assert.match(text, /^uplink: +none \(no tun\)$/m);
  assert.match(text, /^error: +broken$/m);
  assert.doesNotMatch(text, /anchor/);
});

test('a started daemon is introduced by what to type next', () => {
  const text = describeUp({
    outcome: 'started',
    host: 'unix:///s',
    links: [],
    warnings: ['x'],
    logPath: '/l',
  });
  assert.match(text, /export DOCKER_HOST=unix:\/\/\/s/);
  assert.match(text, /Note: x/);
  assert.doesNotMatch(text, /--context/);
});

test('a lack is followed by its cure', () => {
  const text = describeChecks([{ name: 'a', state: 'missing', detail: 'b', cure: 'c' }]);
  assert.equal(text, 'MISSING  a: b\n         cure: c');
});

test('the context says whether it is in use', () => {
  const context = { name: 'wherry', host: 'unix:///s', current: false, written: true };
  assert.match(describeContext(context), /not in use/);
});

test('completion knows commands and flags', () => {
  const vocabulary = { commands: ['up'], flags: ['data-root'] };
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    assert.match(completionScript(shell, vocabulary), /up[\s\S]*data-root/);
  }
});
