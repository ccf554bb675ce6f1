import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { findVirtiofsd, shareSocket, startVirtiofsd, virtiofsdCommand } from './virtiofsd.ts';
import type { VmParts } from './vm-driver.ts';

async function workshop(script: string) {
  const dir = await mkdtemp(join(tmpdir(), 'virtiofsd-'));
  const program = join(dir, 'virtiofsd');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  return { dir, program, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('only a server that can give all files to one user is taken', async () => {
  await using fit = await workshop('echo "      --translate-uid <TRANSLATE_UID>"');
  await using old = await workshop('echo "    --fd=FDNUM"');
  assert.equal(await findVirtiofsd(fit.dir), fit.program);
  assert.notEqual(await findVirtiofsd(old.dir), old.program);
});

test('every id of the guest is the caller on this host', () => {
  const parts = { channelSocket: '/r/vm.sock', user: { uid: 1001, gid: 100 } } as VmParts;
  assert.deepEqual(virtiofsdCommand('/v', '/home/me', parts), {
    file: '/v',
    args: [
      ...['--shared-dir', '/home/me', '--socket-path', '/r/vm-share.sock'],
      ...['--translate-uid', 'squash-guest:0:1001:4294967295'],
      ...['--translate-gid', 'squash-guest:0:100:4294967295'],
      ...['--sandbox', 'namespace', '--log-level', 'warn'],
    ],
  });
  assert.equal(shareSocket(parts), '/r/vm-share.sock');
});

test('the server is awaited, and ended when no machine comes', async () => {
  await using place = await workshop('echo $$ >"$1.pid"; : >"$1"; exec sleep 1000');
  const socket = join(place.dir, 'sock');
  const undo = await startVirtiofsd({ file: place.program, args: [socket] }, socket);
  const pid = Number(await readFile(`${socket}.pid`, 'utf8'));
  assert.ok(isAlive(pid));
  undo();
  await eventually(() => !isAlive(pid));
});

test('a server that ends instead of listening is an error with its last words', async () => {
  await using place = await workshop('echo "no user namespace" >&2; exit 1');
  const socket = join(place.dir, 'sock');
  await assert.rejects(startVirtiofsd({ file: place.program, args: [] }, socket), {
    kind: 'unavailable',
    message: /virtiofsd cannot share the home with the machine: no user namespace$/,
  });
});
