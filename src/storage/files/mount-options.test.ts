import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MountFlag } from '../../sys/libc.ts';
import { parseMountOptions } from './mount-options.ts';

test('words of the kernel become flags, the rest is for the file system', () => {
  assert.deepEqual(parseMountOptions(['size=1m', 'nosuid', 'ro', 'uid=5']), {
    flags: MountFlag.noSuid | MountFlag.readOnly,
    data: 'size=1m,uid=5',
  });
});

test('of two opposites the last one counts', () => {
  assert.equal(parseMountOptions(['ro', 'rw']).flags, 0);
  assert.equal(parseMountOptions(['exec', 'noexec']).flags, MountFlag.noExec);
});
