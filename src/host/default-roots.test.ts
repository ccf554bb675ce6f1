import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOwnDirectory } from './default-roots.ts';

const uid = process.getuid?.() ?? 0;

test("a runtime directory is taken when it is there, a directory, and the account's own", () => {
  const dir = mkdtempSync(join(tmpdir(), 'default-roots-'));
  try {
    writeFileSync(join(dir, 'file'), '');
    assert.equal(isOwnDirectory(dir, uid), true);
    assert.equal(isOwnDirectory(dir, uid + 1), false);
    for (const name of ['missing', 'file', 'file/below']) {
      assert.equal(isOwnDirectory(join(dir, name), uid), false);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a place that may not be looked at is no runtime directory', { skip: uid === 0 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'default-roots-'));
  const closed = join(dir, 'closed');
  try {
    mkdirSync(join(closed, 'own'), { recursive: true });
    chmodSync(closed, 0);
    assert.equal(isOwnDirectory(join(closed, 'own'), uid), false);
  } finally {
    chmodSync(closed, 0o700);
    rmSync(dir, { recursive: true });
  }
});
