import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { Collection } from '../../src/state/collection.ts';
import { spawnProcess } from '../../src/sys/exec/spawn.ts';

interface Counted {
  readonly count: number;
  readonly padding: string;
}

const WRITER = join(import.meta.dirname, '../fixtures/update-forever.ts');

describe('documents of a program that is killed', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'wherry-crash-'));
  });
  after(() => rm(dir, { recursive: true }));

  /** Lets the writer run for some updates and kills it in the middle of one. Returns the last that it reported. */
  async function writeAndKill(updates: number): Promise<number> {
    const writer = spawnProcess(
      { file: process.execPath, args: ['--import', 'tsx', WRITER, dir] },
      { stdio: ['ignore', 'pipe-out', { fd: 2 }] },
    );
    let last = 0;
    let seen = 0;
    for await (const line of createInterface({ input: writer.readable(1) })) {
      last = Number(line);
      seen += 1;
      if (seen === updates) writer.kill('SIGKILL');
    }
    assert.equal((await writer.exited).signal, 'SIGKILL');
    return last;
  }

  it('are whole, hold every update that was reported, and leave no debris', async () => {
    for (const updates of [5, 8, 13]) {
      const reported = await writeAndKill(updates);
      const collection = await Collection.open<Counted>({ dir, decode: (raw) => raw as Counted });
      const { count, padding } = collection.get('counter')?.value ?? { count: -1, padding: '' };
      assert.ok(count === reported || count === reported + 1, `${count} after ${reported}`);
      assert.equal(padding, String((count - 1) % 10).repeat(20_000));
      assert.deepEqual(await readdir(dir), ['counter.json']);
    }
  });
});
