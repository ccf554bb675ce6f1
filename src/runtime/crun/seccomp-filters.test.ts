import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RuntimeSpec } from '../../oci/runtime-spec.ts';
import { SeccompFilters } from './seccomp-filters.ts';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'filters-'));
  await writeFile(join(dir, 'seccomp.bpf'), 'a filter');
});
after(() => rm(dir, { recursive: true }));

const FILTER = Buffer.from('a filter').toString('base64');

function specOf(defaultAction: string, annotations?: Record<string, string>): RuntimeSpec {
  return {
    ociVersion: '1.0.2',
    process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['x'], env: [], cwd: '/' },
    root: { path: '/' },
    mounts: [],
    ...(annotations === undefined ? {} : { annotations }),
    linux: {
      namespaces: [],
      ...(defaultAction === ''
        ? {}
        : { seccomp: { defaultAction, architectures: [], syscalls: [] } }),
    },
  };
}

test('a filter that was compiled once is handed on with the same rules, to the same runtime', async () => {
  const filters = new SeccompFilters();
  const rules = specOf('SCMP_ACT_ALLOW', { mine: 'kept' });
  assert.equal(filters.apply('/crun', rules), rules);
  await filters.learn('/crun', rules, dir);
  const applied = filters.apply('/crun', rules);
  assert.deepEqual(applied.annotations, { mine: 'kept', 'run.oci.seccomp_bpf_data': FILTER });
  assert.deepEqual(applied.linux, rules.linux);
  for (const [program, other] of [
    ['/other', rules],
    ['/crun', specOf('SCMP_ACT_ERRNO')],
    ['/crun', specOf('')],
  ] as const) {
    assert.equal(filters.apply(program, other), other);
  }
});

test('nothing is learned from a runtime that leaves no filter, or from a filter of the user', async () => {
  const filters = new SeccompFilters();
  await filters.learn('/runc', specOf('SCMP_ACT_ALLOW'), join(dir, 'missing'));
  const own = specOf('SCMP_ACT_ALLOW', { 'run.oci.seccomp_bpf_data': 'mine' });
  await filters.learn('/runc', own, dir);
  const rules = specOf('SCMP_ACT_ALLOW');
  assert.equal(filters.apply('/runc', rules), rules);
});
