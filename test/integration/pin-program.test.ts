import assert from 'node:assert/strict';
import { chmod, copyFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pinProgram } from '../../src/runtime/runtimes/pin-program.ts';
import { UmountFlag, umount } from '../../src/sys/libc.ts';
import { findProgram } from '../support/capabilities.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wherry-pin-'));
});
after(() => rm(dir, { recursive: true, force: true }));

function programOf(name: string): string {
  const path = findProgram(name);
  assert.ok(path !== undefined, `${name} is not installed`);
  return path;
}

test('a program of the host is bound read-only once, and anew when it is another one', async () => {
  const place = join(dir, 'crun.program');
  const crun = programOf('crun');
  assert.equal(await pinProgram(crun, place), place);
  assert.equal(await pinProgram(crun, place), place);
  try {
    await assert.rejects(writeFile(place, 'x'), { code: /EROFS|EACCES|ETXTBSY/ });
    const other = programOf('true');
    assert.equal(await pinProgram(other, place), place);
    assert.equal((await stat(place)).ino, (await stat(other)).ino);
  } finally {
    umount(place, UmountFlag.detach);
  }
  assert.equal((await stat(place)).size, 0);
});

test('a program that containers could change stays where it is', async () => {
  const own = join(dir, 'own');
  await copyFile(programOf('crun'), own);
  await chmod(own, 0o755);
  assert.equal(await pinProgram(own, join(dir, 'own.program')), undefined);
});
