import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { outcomeOf } from '../../test/support/outcome-of.ts';
import { configureDaemon } from './daemon-configuration.ts';
import { vmLife } from './vm-life.ts';

async function place() {
  const dir = await mkdtemp(join(tmpdir(), 'vm-'));
  const environment = { HOME: dir, XDG_RUNTIME_DIR: dir };
  const configFile = join(dir, 'daemon.json');
  const daemon = { flags: new Map([['data-root', [dir]]]), configFile };
  const [life, disk] = [vmLife(environment), join(dir, 'vm-data.raw')];
  const dispose = () => rm(dir, { recursive: true });
  return { environment, configFile, daemon, life, disk, [Symbol.asyncDispose]: dispose };
}

test('what is set is what the daemon reads, beside what was there', async () => {
  await using at = await place();
  await writeFile(at.configFile, '{"debug": true, "vm-cpus": 1}');
  assert.equal(await at.life.configure(at.daemon, { cpus: 2, diskGb: 80 }), at.configFile);
  await at.life.configure(at.daemon, { memoryMb: 2048 });
  assert.deepEqual(JSON.parse(await readFile(at.configFile, 'utf8')), {
    debug: true,
    'vm-cpus': 2,
    'vm-memory': 2048,
    'vm-disk': 80,
  });
  const { settings } = await configureDaemon(at.daemon, at.environment);
  assert.deepEqual([settings.vmCpus, settings.vmMemoryMb, settings.vmDiskGb], [2, 2048, 80]);
});

test('values that no machine can have are refused, and a disk never shrinks', async () => {
  await using at = await place();
  await writeFile(at.configFile, '{}');
  for (const change of [{ cpus: 0 }, { cpus: Number.NaN }, { memoryMb: 12 }]) {
    assert.equal((await outcomeOf(at.life.configure(at.daemon, change))).kind, 'invalid-argument');
  }
  await writeFile(at.disk, '');
  await truncate(at.disk, 20 * 2 ** 30);
  const { text } = await outcomeOf(at.life.configure(at.daemon, { diskGb: 10 }));
  assert.match(text, /has 20 GB and cannot shrink to 10/);
  assert.equal(await readFile(at.configFile, 'utf8'), '{}');
});

test('a reset removes the data disk, once', async () => {
  await using at = await place();
  await writeFile(at.configFile, '{}');
  await writeFile(at.disk, 'kept');
  assert.equal(await at.life.reset(at.daemon), true);
  assert.equal(await at.life.reset(at.daemon), false);
});
