import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMountInfo } from '../mount/mount-table.ts';
import { locateCgroups } from './cgroup-facts.ts';

const V2 = '30 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw';
const V1 = '31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu';
const UNIFIED = '40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';

describe('locating control groups', () => {
  it('finds the own directory on a version 2 system', () => {
    assert.deepEqual(locateCgroups(parseMountInfo(V2), '0::/user.slice/a.scope\n'), {
      layout: 'v2',
      v2MountPoint: '/sys/fs/cgroup',
      ownDir: '/sys/fs/cgroup/user.slice/a.scope',
    });
  });

  it('calls version 1 hierarchies beside a version 2 mount hybrid', () => {
    const place = locateCgroups(parseMountInfo(`${V1}\n${UNIFIED}`), '9:cpu:/x\n0::/\n');
    assert.equal(place.layout, 'hybrid');
    assert.equal(place.v2MountPoint, '/sys/fs/cgroup/unified');
  });

  it('knows version 1 alone and no control groups at all', () => {
    assert.equal(locateCgroups(parseMountInfo(V1), '9:cpu:/x\n').layout, 'v1');
    assert.deepEqual(locateCgroups([], ''), {
      layout: 'none',
      v2MountPoint: undefined,
      ownDir: undefined,
    });
  });

  it('sees through a bind mount of a part of the hierarchy', () => {
    const part = parseMountInfo('30 22 0:27 /pod /sys/fs/cgroup rw - cgroup2 cgroup2 rw');
    assert.equal(locateCgroups(part, '0::/pod/box\n').ownDir, '/sys/fs/cgroup/box');
    assert.equal(locateCgroups(part, '0::/elsewhere\n').ownDir, undefined);
  });
});
