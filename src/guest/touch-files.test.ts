import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { encodeLine } from '../handshake/line-codec.ts';
import { touchFiles } from './touch-files.ts';

async function fixture() {
  const root = await mkdtemp(join(tmpdir(), 'touch-'));
  const stream = new PassThrough();
  const done = touchFiles(stream);
  const tell = (message: unknown) => stream.write(encodeLine(message));
  const dispose = async () => {
    stream.end();
    await done;
    await rm(root, { recursive: true });
  };
  return { root, tell, stream, done, [Symbol.asyncDispose]: dispose };
}

/** Directories below `root` that this process has open. */
async function openBelow(root: string): Promise<readonly string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) =>
    readlink(`/proc/self/fd/${fd}`).catch(() => ''),
  );
  return (await Promise.all(links)).filter((path) => path.startsWith(`${root}/`));
}

test('touching a file makes an event for it and changes neither content, permissions nor times', async () => {
  await using files = await fixture();
  const path = join(files.root, 'file');
  await writeFile(path, 'x', { mode: 0o640 });
  const before = await stat(path);
  const seen: string[] = [];
  const watcher = watch(files.root, (kind, name) => seen.push(`${kind} ${name}`));
  try {
    files.tell({ touch: [join(files.root, 'missing'), path] });
    await eventually(() => seen.includes('change file'));
    const { mode, mtimeMs, size } = await stat(path);
    assert.deepEqual(
      { mode, mtimeMs, size },
      {
        mode: before.mode,
        mtimeMs: before.mtimeMs,
        size: before.size,
      },
    );
  } finally {
    watcher.close();
  }
});

test('directories stay open from hold to release, or to the end of the stream', async () => {
  await using files = await fixture();
  const [a, b] = [join(files.root, 'a'), join(files.root, 'b')];
  await mkdir(a);
  await mkdir(b);
  await symlink('/', join(files.root, 'link'));
  files.tell({ hold: [a, b, a, join(files.root, 'link'), join(files.root, 'missing')] });
  await eventually(async () => (await openBelow(files.root)).length === 2);
  files.tell({ release: [a] });
  await eventually(async () => (await openBelow(files.root)).join() === b);
  files.stream.end();
  await files.done;
  assert.deepEqual(await openBelow(files.root), []);
});

test('a link is not followed', async () => {
  await using files = await fixture();
  const target = join(files.root, 'target');
  await writeFile(target, '');
  await symlink(target, join(files.root, 'link'));
  const { ctimeMs } = await stat(target);
  files.tell({ touch: [join(files.root, 'link')] });
  files.stream.end();
  await files.done;
  assert.equal((await stat(target)).ctimeMs, ctimeMs);
});
