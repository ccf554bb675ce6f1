import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findVfkit, vfkitArguments } from './vfkit-driver.ts';
import type { VmParts } from './vm-driver.ts';

const parts: VmParts = {
  kernel: '/i/vmlinuz',
  initialRoot: '/i/initrd',
  root: '/i/root.erofs',
  dataDisk: '/d/data.raw',
  programDisk: '/r/programs',
  channelSocket: '/r/vm.sock',
  consoleLog: '/r/console',
  user: { uid: 501, gid: 20 },
  sharedDir: '/Users/me',
  apiSocket: '/r/docker.sock',
  cpus: 4,
  memoryMb: 4096,
};

test('the command line of a machine with Rosetta', () => {
  assert.deepEqual(vfkitArguments(parts, true), [
    ...['--cpus', '4', '--memory', '4096', '--restful-uri', 'none://', '--bootloader'],
    'linux,kernel=/i/vmlinuz,initrd=/i/initrd,cmdline="console=hvc0 quiet loglevel=3 panic=-1 ' +
      'wherry.uid=501 wherry.gid=20 wherry.share=/Users/me wherry.socket=/r/docker.sock ' +
      'wherry.sharetype=virtiofs wherry.network=dhcp wherry.channel=vsock wherry.rosetta=1"',
    ...['--device', 'virtio-blk,path=/i/root.erofs', '--device', 'virtio-blk,path=/d/data.raw'],
    ...['--device', 'virtio-blk,path=/r/programs', '--device', 'virtio-rng'],
    ...['--device', 'virtio-net,nat', '--device', 'virtio-serial,logFilePath=/r/console'],
    ...['--device', 'virtio-vsock,port=1024,socketURL=/r/vm.sock,connect'],
    ...['--device', 'virtio-fs,sharedDir=/Users/me,mountTag=share'],
    ...['--device', 'rosetta,mountTag=rosetta'],
  ]);
});

test('what is not there is not on the command line, and what it cannot hold is refused', () => {
  const line = vfkitArguments({ ...parts, sharedDir: undefined }, false).join(' ');
  assert.doesNotMatch(line, /virtio-fs|rosetta|wherry\.share=/);
  assert.throws(() => vfkitArguments({ ...parts, dataDisk: '/d/a,b' }, false), {
    kind: 'invalid-argument',
    message: /\/d\/a,b/,
  });
});

test('vfkit is looked for and asked; without it the error says what to install', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'vfkit-'));
  try {
    await assert.rejects(findVfkit('arm64', dir), { kind: 'unavailable', message: /brew install/ });
    const program = join(dir, 'vfkit');
    await writeFile(program, '#!/bin/sh\n[ "$1" = --version ] && echo "vfkit version: v0.6"\n');
    await chmod(program, 0o755);
    const apple = await findVfkit('arm64', dir, join(dir, 'rosetta'));
    assert.match(apple.notes.join(), /Rosetta is not installed.*softwareupdate/);
    await writeFile(join(dir, 'rosetta'), '');
    assert.deepEqual((await findVfkit('arm64', dir, join(dir, 'rosetta'))).notes, []);
    const intel = await findVfkit('x64', dir, join(dir, 'rosetta'));
    const { file, args } = intel.command(parts);
    assert.equal(file, program);
    assert.doesNotMatch(args.join(' '), /rosetta,mountTag/);
    await writeFile(program, '#!/bin/sh\necho "bad CPU type" >&2\nexit 1\n');
    await assert.rejects(findVfkit('x64', dir), /bad CPU type/);
  } finally {
    await rm(dir, { recursive: true });
  }
});
