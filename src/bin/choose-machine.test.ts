import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineKind } from './choose-machine.ts';

test('the machine is that of the system unless it is told', () => {
  assert.equal(machineKind('auto', 'linux'), 'namespace');
  assert.equal(machineKind('auto', 'darwin'), 'vfkit');
  assert.equal(machineKind('auto', 'win32'), 'wsl');
  assert.equal(machineKind('qemu', 'darwin'), 'qemu');
});
