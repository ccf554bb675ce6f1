/** `wherry doctor --storage` against a running daemon. */
import assert from 'node:assert/strict';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';

test('the doctor finds what happened to a layer, repairs it, and says so', async () => {
  await using daemon = await startDaemon();
  assert.equal(await daemon.ok('run', '--name', 'box', BUSYBOX, 'echo', 'hi'), 'hi');
  const layers = join(daemon.home.dataDir, 'wherry/snapshots/overlay/layers');
  const number = (await readdir(layers)).find((name) => name !== '0') ?? '';
  await chmod(join(layers, number, 'fs/bin/busybox'), 0o000);

  const looked = await daemon.wherry('doctor', '--storage', '--dry-run');
  assert.equal(looked.code, 1, looked.stderr);
  assert.match(looked.stdout, /^DAMAGED +layer sha256:.*busybox.* has the mode 0000/m);
  const repaired = await daemon.wherry('doctor', '--storage', '--json');
  assert.equal(repaired.code, 0, repaired.stderr);
  const { findings, summary } = JSON.parse(repaired.stdout);
  assert.deepEqual([findings[0].outcome, summary.left], ['repaired', 0]);
  assert.match((await daemon.wherry('doctor', '--storage', '--deep')).stdout, /all is well/);
  assert.equal(await daemon.ok('start', '-a', 'box'), 'hi');

  await daemon.stop();
  const stopped = await daemon.wherry('doctor', '--storage');
  assert.equal(stopped.code, 1);
  assert.match(stopped.stderr, /daemon does not run: start it with wherry up/);
});
