import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountInfo } from '../sys/mount/mount-table.ts';
import { hybridSource } from './prepare-cgroup-mount.ts';

const tmpfs = '30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw';
const memory = '33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory';
const unified = '31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';

test('the version 2 hierarchy of a hybrid layout is found', () => {
  const mounts = parseMountInfo([tmpfs, memory, unified].join('\n'));
  assert.equal(hybridSource(mounts), '/sys/fs/cgroup/unified');
});

test('nothing is done where version 2 is at its place, or bound there already', () => {
  const pure = '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw';
  assert.equal(hybridSource(parseMountInfo(pure)), undefined);
  assert.equal(hybridSource(parseMountInfo([tmpfs, unified, pure].join('\n'))), undefined);
});

test('nothing can be done where there is no version 2 hierarchy', () => {
  assert.equal(hybridSource(parseMountInfo([tmpfs, memory].join('\n'))), undefined);
});
