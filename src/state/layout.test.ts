import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureLayout } from './layout.ts';

describe('the layout file', () => {
  let root = '';
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'wherry-layout-'));
  });
  after(() => rm(root, { recursive: true }));

  it('is made together with a private data directory, and accepted again', async () => {
    const file = join(root, 'data', 'layout.json');
    await ensureLayout(file);
    await ensureLayout(file);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { v: 1 });
    assert.equal((await stat(join(root, 'data'))).mode & 0o777, 0o700);
  });

  it('stops an older program, which changes nothing', async () => {
    const file = join(root, 'layout.json');
    await writeFile(file, '{"v": 99}');
    await assert.rejects(ensureLayout(file), { kind: 'unavailable' });
    assert.equal(await readFile(file, 'utf8'), '{"v": 99}');
  });
});
