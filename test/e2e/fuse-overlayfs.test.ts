/** A whole daemon on root file systems by fuse-overlayfs, as on file systems that refuse overlay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';
import {
  commandLine,
  NO_TRACES,
  processIdsOf,
  tracesOf,
  userNamespaceOf,
} from '../support/traces.ts';

test(
  'containers by fuse-overlayfs run, outlive the engine, are told of when broken, and leave nothing',
  requires('fuse-overlayfs'),
  async () => {
    await using daemon = await startDaemon({ flags: ['--storage-driver=fuse-overlayfs'] });
    const namespace = await userNamespaceOf((await daemon.status()).anchor?.pid ?? 0);
    const helpers = async () => {
      const pids = await processIdsOf(daemon.home, namespace);
      const lines = await Promise.all(pids.map(commandLine));
      return pids.filter((_, at) => lines[at]?.startsWith('fuse-overlayfs ') === true);
    };
    assert.equal(await daemon.ok('info', '-f', '{{.Driver}}'), 'fuse-overlayfs');
    assert.match((await daemon.wherry('doctor')).stdout, /storage driver: fuse-overlayfs \(/);
    await daemon.ok(
      'run',
      '-d',
      '--name',
      'box',
      BUSYBOX,
      'sh',
      '-c',
      'echo a > /made; sleep 1000',
    );
    await daemon.ok('exec', 'box', 'sh', '-c', 'rm /bin/vi; echo b >> /made');
    const before = await helpers();
    assert.equal(before.length, 1);
    await daemon.crashEngine();
    assert.deepEqual(await helpers(), before);
    assert.equal(await daemon.ok('exec', 'box', 'cat', '/made'), 'a\nb');
    assert.match(await daemon.ok('diff', 'box'), /^A \/made$/m);
    assert.match(await daemon.ok('diff', 'box'), /^D \/bin\/vi$/m);

    process.kill(before[0] ?? 0, 'SIGKILL');
    const checked = await daemon.wherry('doctor', '--storage');
    assert.match(checked.stdout, /container \S+ is broken: the fuse-overlayfs process/);
    await daemon.ok('restart', '-t', '0', 'box');
    assert.equal(await daemon.ok('exec', 'box', 'sh', '-c', 'head -n 1 /made'), 'a');
    assert.match((await daemon.wherry('doctor', '--storage')).stdout, /all is well/);
    await daemon.wherry('down');
    assert.deepEqual(await tracesOf(daemon.home, namespace), NO_TRACES);
  },
);
