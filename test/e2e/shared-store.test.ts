/** A store of images that two users of a machine have in common. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';
import { runCommand } from '../support/run-command.ts';
import { makeTestHome } from '../support/test-home.ts';

test('what one daemon saved, another one runs from where it lies', async () => {
  await using home = await makeTestHome();
  const dir = join(home.root, 'shared');
  await mkdir(dir);
  {
    await using first = await startDaemon();
    await writeFile(join(home.root, 'mark'), 'from the store');
    await first.ok('create', '--name', 'box', BUSYBOX, 'cat', '/mark');
    await first.ok('cp', join(home.root, 'mark'), 'box:/mark');
    await first.ok('commit', 'box', 'team/tool:1');
    const archive = join(home.root, 'tool.tar');
    await first.ok('save', '-o', archive, 'team/tool:1');
    const unpacked = await runCommand(['tar', '-x', '-C', dir, '-f', archive], { env: home.env });
    assert.equal(unpacked.code, 0, unpacked.stderr);
  }
  await using second = await startDaemon({ flags: [`--additional-image-store=${dir}`] });
  assert.match(
    await second.ok('images', '--format', '{{.Repository}}:{{.Tag}}'),
    /^team\/tool:1$/m,
  );
  assert.equal(await second.ok('run', '--rm', '--pull=never', 'team/tool:1'), 'from the store');
  const removal = await second.docker('rmi', '-f', 'team/tool:1');
  assert.equal(removal.code, 1);
  assert.match(removal.stderr, /shared image store .*, which is read-only/);
  const checked = await second.wherry('doctor', '--storage', '--deep');
  assert.match(checked.stdout, /all is well/, checked.stderr);
});
