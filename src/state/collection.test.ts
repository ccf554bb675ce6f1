import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Collection, type CollectionOptions } from './collection.ts';

interface Named {
  readonly v: number;
  readonly name: string;
}

const decode = (raw: unknown): Named => {
  if (typeof raw !== 'object' || raw === null || !('name' in raw)) throw new Error('no name');
  return { v: 1, name: String(raw.name) };
};

const web: Named = { v: 1, name: 'web' };

for (const documentName of [undefined, 'thing.json']) {
  const style = documentName === undefined ? 'of files' : 'of directories';

  describe(`Collection ${style}`, () => {
    let root = '';
    let serial = 0;
    before(async () => {
      root = await mkdtemp(join(tmpdir(), 'wherry-collection-'));
    });
    after(() => rm(root, { recursive: true }));

    const options = (): CollectionOptions<Named> => ({
      dir: join(root, `case-${serial++}`, 'things'),
      decode,
      ...(documentName === undefined ? {} : { documentName }),
    });
    const fileOf = (dir: string, key: string) =>
      documentName === undefined ? join(dir, `${key}.json`) : join(dir, key, documentName);
    const plant = async (dir: string, key: string, text: string) => {
      const file = fileOf(dir, key);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, text);
    };

    it('finds after a restart what was created, updated and not removed', async () => {
      const place = options();
      const first = await Collection.open(place);
      await first.create('a', web);
      await first.create('b', web);
      await first.create('c', web);
      await first.get('b')?.update((document) => ({ ...document, name: 'db' }));
      await first.remove('c');
      const second = await Collection.open(place);
      assert.deepEqual(second.keys().toSorted(), ['a', 'b']);
      assert.equal(second.get('b')?.value.name, 'db');
      assert.equal(second.list().length, 2);
    });

    it('creates each key once, even when asked twice at the same time', async () => {
      const collection = await Collection.open(options());
      const outcomes = await Promise.allSettled([
        collection.create('a', web),
        collection.create('a', { ...web, name: 'other' }),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
      await assert.rejects(collection.create('a', web), { kind: 'conflict' });
    });

    it('refuses keys that are no plain names', async () => {
      const collection = await Collection.open(options());
      for (const key of ['', '.', '..', 'a/b', '.hidden', '-x', 'a\0b', 'a'.repeat(300)]) {
        await assert.rejects(collection.create(key, web), { kind: 'invalid-argument' });
      }
    });

    it('removes idempotently and takes no update after that', async () => {
      const place = options();
      const collection = await Collection.open(place);
      const document = await collection.create('a', web);
      await Promise.all([collection.remove('a'), collection.remove('a')]);
      assert.equal(collection.get('a'), undefined);
      await assert.rejects(
        document.update((current) => ({ ...current })),
        { kind: 'not-found' },
      );
      assert.deepEqual(await readdir(place.dir), []);
    });

    it('clears away what crashes left: half-written and half-removed documents', async () => {
      const place = options();
      const collection = await Collection.open(place);
      await collection.create('a', web);
      const debris = join(fileOf(place.dir, 'a'), '..', '.thing.json.0123456789abcdef.tmp');
      await writeFile(debris, '{"na');
      await mkdir(join(place.dir, '.removing-old', 'deep'), { recursive: true });
      const again = await Collection.open(place);
      assert.deepEqual(again.keys(), ['a']);
      await assert.rejects(stat(debris), { code: 'ENOENT' });
      await assert.rejects(stat(join(place.dir, '.removing-old')), { code: 'ENOENT' });
    });

    it('puts an unreadable document aside with its reason and opens the others', async () => {
      const place = options();
      await plant(place.dir, 'good', JSON.stringify(web));
      await plant(place.dir, 'bad', '{"v": 1, "na');
      const collection = await Collection.open(place);
      assert.deepEqual(collection.keys(), ['good']);
      const [bad] = collection.quarantined();
      assert.equal(bad?.key, 'bad');
      const aside = join(place.dir, '..', 'corrupt', 'things-bad.json');
      assert.equal(bad?.movedTo, aside);
      assert.equal(await readFile(aside, 'utf8'), '{"v": 1, "na');
      assert.match(await readFile(`${aside}.reason.txt`, 'utf8'), /bad.*\n.*JSON/);
    });

    it('keeps every quarantined file when the same key goes bad again', async () => {
      const place = options();
      await plant(place.dir, 'bad', 'one');
      await Collection.open(place);
      await plant(place.dir, 'bad', 'two');
      await Collection.open(place);
      const kept = await readdir(join(place.dir, '..', 'corrupt'));
      assert.deepEqual(kept.filter((name) => name.endsWith('.json')).toSorted(), [
        'things-bad.2.json',
        'things-bad.json',
      ]);
    });

    it('touches nothing when a newer program was here', async () => {
      const place = { ...options(), migrations: { current: 1, steps: {} } };
      await plant(place.dir, 'bad', 'broken');
      await plant(place.dir, 'new', JSON.stringify({ v: 2, name: 'x' }));
      const names = await readdir(place.dir, { recursive: true });
      await assert.rejects(Collection.open(place), {
        kind: 'unavailable',
        message: /newer wherry/,
      });
      assert.deepEqual(await readdir(place.dir, { recursive: true }), names);
    });

    it('leaves nothing when the first write fails', async () => {
      const place = options();
      const collection = await Collection.open(place);
      const unwritable = {
        ...web,
        toJSON: () => {
          throw new Error('the disk said no');
        },
      };
      await assert.rejects(collection.create('a', unwritable), /the disk said no/);
      assert.deepEqual(await readdir(place.dir), []);
      assert.equal(collection.get('a'), undefined);
      await collection.create('a', web);
    });
  });
}

describe('Collection of directories', () => {
  let root = '';
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'wherry-collection-dirs-'));
  });
  after(() => rm(root, { recursive: true }));

  it('takes an existing directory along and removes it with its other files', async () => {
    const dir = join(root, 'one');
    await mkdir(join(dir, 'a'), { recursive: true });
    await writeFile(join(dir, 'a', 'container.log'), 'hello');
    const collection = await Collection.open({ dir, decode, documentName: 'thing.json' });
    assert.deepEqual(
      collection.quarantined().map(({ key }) => key),
      ['a'],
    );
    await collection.create('a', web);
    await collection.remove('a');
    assert.deepEqual(await readdir(dir), []);
  });

  it('forgets a directory in which nothing was written yet, and keeps files it does not know', async () => {
    const dir = join(root, 'two');
    await mkdir(join(dir, 'empty'), { recursive: true });
    await writeFile(join(dir, 'README'), 'mine');
    const collection = await Collection.open({ dir, decode, documentName: 'thing.json' });
    assert.deepEqual(collection.quarantined(), []);
    assert.deepEqual(await readdir(dir), ['README']);
  });
});
