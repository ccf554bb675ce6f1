import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { requires } from '../../../test/support/capabilities.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { ImageTree } from '../tree/image-tree.ts';
import { BLOCK_BYTES, writeErofs } from './erofs-writer.ts';

const MANY = 700;

test('what is read back is what was written', requires('erofs'), async () => {
  const tree = new ImageTree();
  const contents = new Map<string, Buffer>(
    [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES].map((size) => [
      `sizes/${size}`,
      Buffer.alloc(size, `${size}.`),
    ]),
  );
  for (let index = 0; index < MANY; index++) {
    contents.set(`many/a-rather-long-name-${index}`, Buffer.from(String(index)));
  }
  for (const [path, content] of contents) tree.add(path, { kind: 'file', mode: 0o755, content });
  tree.add('sizes/link', { kind: 'symlink', target: '../many' });
  tree.add('empty', { kind: 'directory', mode: 0o700 });
  const dir = await mkdtemp(join(tmpdir(), 'erofs-'));
  try {
    const image = join(dir, 'image');
    await writeFile(image, Buffer.concat([...writeErofs(tree, 'test')]));
    const out = join(dir, 'out');
    const { code, stdout, stderr } = await runCommand(['fsck.erofs', `--extract=${out}`, image]);
    assert.equal(code, 0, stdout + stderr);
    for (const [path, content] of contents) {
      assert.ok((await readFile(join(out, path))).equals(content), path);
    }
    assert.equal((await readdir(join(out, 'many'))).length, MANY);
    assert.equal(await readlink(join(out, 'sizes/link')), '../many');
    assert.deepEqual(await readdir(join(out, 'empty')), []);
    assert.equal((await stat(join(out, 'sizes/1'))).mode & 0o777, 0o755);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
