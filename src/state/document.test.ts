import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Document } from './document.ts';
import { DurableJsonFile } from './durable-json-file.ts';

interface Counter {
  readonly count: number;
}

const decode = (raw: unknown): Counter => {
  if (typeof raw !== 'object' || raw === null || !('count' in raw)) throw new Error('no count');
  return { count: Number(raw.count) };
};

const increment = ({ count }: Counter) => ({ count: count + 1 });

/** A disk that is full for a while. */
class FillingDisk {
  written: Counter | null = null;
  full = false;

  async read(): Promise<Counter | null> {
    return this.written;
  }

  async write(document: Counter): Promise<void> {
    if (this.full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    this.written = document;
  }
}

describe('Document', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'wherry-document-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('counts 200 parallel updates right and leaves one file', async () => {
    const path = join(dir, 'parallel', 'counter.json');
    await mkdir(join(dir, 'parallel'));
    const document = await Document.open({ path, decode, initial: { count: 0 } });
    await Promise.all(Array.from({ length: 200 }, () => document.update(increment)));
    assert.equal(document.value.count, 200);
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { count: 200 });
    assert.deepEqual(await readdir(join(dir, 'parallel')), ['counter.json']);
  });

  it('is the initial value, unwritten, until the first update', async () => {
    const path = join(dir, 'fresh.json');
    const document = await Document.open({ path, decode, initial: { count: 7 } });
    assert.deepEqual(document.value, { count: 7 });
    assert.equal((await readdir(dir)).includes('fresh.json'), false);
  });

  it('remembers a fact that the disk refuses, and stores it with the next update', async () => {
    const disk = new FillingDisk();
    const document = new Document<Counter>('counter', disk, { count: 0 });
    disk.full = true;
    await document.remember(increment);
    assert.deepEqual([document.value, disk.written], [{ count: 1 }, null]);
    disk.full = false;
    await document.update(increment);
    assert.deepEqual(disk.written, { count: 2 });
  });

  it('keeps the committed value when the disk is full, and goes on when there is room again', async () => {
    const disk = new FillingDisk();
    const document = new Document('counter', disk, { count: 1 });
    disk.full = true;
    await assert.rejects(document.update(increment), { code: 'ENOSPC' });
    assert.equal(document.value.count, 1);
    disk.full = false;
    await document.update(increment);
    assert.deepEqual(disk.written, { count: 2 });
  });

  it('does not change when the change itself throws', async () => {
    const disk = new FillingDisk();
    const document = new Document<Counter>('counter', disk, { count: 1 });
    const failing = document.update(() => {
      throw new Error('not now');
    });
    await assert.rejects(failing, /not now/);
    assert.equal(document.value.count, 1);
    assert.equal(disk.written, null);
  });

  it('stores an ordered update as whole as a synced one', async () => {
    const path = join(dir, 'ordered.json');
    const document = await Document.open({ path, decode, initial: { count: 1 } });
    await document.update(increment, 'ordered');
    const again = await Document.open({ path, decode, initial: { count: 0 } });
    assert.deepEqual(again.value, { count: 2 });
  });

  it('writes nothing when nothing changed', async () => {
    const disk = new FillingDisk();
    const document = new Document('counter', disk, { count: 1 });
    await document.update((current) => current);
    assert.equal(disk.written, null);
  });

  it('shows a new value only once it is written', async () => {
    const disk = new FillingDisk();
    const document = new Document('counter', disk, { count: 1 });
    const job = document.update(increment);
    assert.equal(document.value.count, 1);
    await job;
    assert.equal(document.value.count, 2);
  });

  it('refuses updates after removal but not when the removal failed', async () => {
    const document = new Document('counter', new FillingDisk(), { count: 1 });
    await assert.rejects(
      document.retire(() => Promise.reject(new Error('busy'))),
      /busy/,
    );
    await document.update(increment);
    await document.retire(async () => undefined);
    await assert.rejects(document.update(increment), { kind: 'not-found' });
  });
});

describe('DurableJsonFile', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'wherry-json-file-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('reads what it wrote, privately stored', async () => {
    const file = new DurableJsonFile<Counter>(join(dir, 'a.json'), { decode });
    assert.equal(await file.read(), null);
    await file.write({ count: 3 });
    assert.deepEqual(await file.read(), { count: 3 });
    const { mode } = await stat(join(dir, 'a.json'));
    assert.equal(mode & 0o777, 0o600);
  });

  it('calls an empty, a torn and a misshapen file corrupt, with the reason', async () => {
    for (const [text, reason] of [
      ['', /empty file/],
      ['{"count": 1', /JSON/],
      ['[]', /no count/],
    ] as const) {
      const path = join(dir, 'bad.json');
      await writeFile(path, text);
      await assert.rejects(new DurableJsonFile(path, { decode }).read(), {
        kind: 'corrupt',
        message: reason,
      });
    }
  });

  it('leaves no temporary file behind when it cannot write', async () => {
    const blocked = join(dir, 'blocked');
    await mkdir(join(blocked, 'target.json', 'occupied'), { recursive: true });
    const file = new DurableJsonFile<Counter>(join(blocked, 'target.json'), { decode });
    await assert.rejects(file.write({ count: 1 }));
    assert.deepEqual(await readdir(blocked), ['target.json']);
  });
});
