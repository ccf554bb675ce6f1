/** What every snapshotter must do. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { kindOf } from '../../src/shared/errors.ts';
import type { Snapshotter } from '../../src/storage/snapshotter.ts';

/** A snapshotter for one test, and how to get rid of it. */
export interface SnapshotterFixture {
  readonly snapshots: Snapshotter;
  dispose(): Promise<void>;
}

const BOTTOM = digestOf('bottom');
const TOP = digestOf('top');
const KEY = 'c'.repeat(64);

/** Commits an empty layer. */
export async function commitLayer(
  snapshots: Snapshotter,
  chainId: Digest,
  parent?: Digest,
): Promise<void> {
  const slot = await snapshots.prepareLayer();
  await slot.commit({ chainId, parent, sizeBytes: 5 });
}

async function kindOfRejection(operation: Promise<unknown>): Promise<string> {
  return await operation.then(
    () => 'no rejection',
    (error: unknown) => kindOf(error),
  );
}

/** Runs the suite; `makeSnapshotter` is called for each test. */
export function testSnapshotterContract(
  name: string,
  makeSnapshotter: () => Promise<SnapshotterFixture>,
): void {
  describe(`${name} as a snapshotter`, () => {
    let fixture: SnapshotterFixture;
    let snapshots: Snapshotter;
    beforeEach(async () => {
      fixture = await makeSnapshotter();
      snapshots = fixture.snapshots;
    });
    afterEach(() => fixture.dispose());

    it('shows a layer only once it is committed', async () => {
      const slot = await snapshots.prepareLayer();
      assert.equal(await snapshots.hasCommitted(BOTTOM), false);
      const outcome = await slot.commit({ chainId: BOTTOM, parent: undefined, sizeBytes: 5 });
      assert.equal(outcome, 'committed');
      assert.equal(await snapshots.hasCommitted(BOTTOM), true);
      assert.equal(await snapshots.committedSize(BOTTOM), 5);
      assert.deepEqual(await snapshots.listCommitted(), [BOTTOM]);
    });

    it('forgets an abandoned layer', async () => {
      const slot = await snapshots.prepareLayer();
      await slot.abandon();
      assert.deepEqual(await snapshots.listCommitted(), []);
    });

    it('keeps the first of two commits of one layer', async () => {
      await commitLayer(snapshots, BOTTOM);
      const late = await snapshots.prepareLayer();
      const outcome = await late.commit({ chainId: BOTTOM, parent: undefined, sizeBytes: 9 });
      assert.equal(outcome, 'already-exists');
      assert.equal(await snapshots.committedSize(BOTTOM), 5);
    });

    it('refuses a layer on a parent that is not there', async () => {
      assert.equal(await kindOfRejection(commitLayer(snapshots, TOP, BOTTOM)), 'not-found');
    });

    it('does not remove what something stands on', async () => {
      await commitLayer(snapshots, BOTTOM);
      await commitLayer(snapshots, TOP, BOTTOM);
      await snapshots.prepareActive(KEY, TOP);
      assert.equal(await kindOfRejection(snapshots.removeCommitted(BOTTOM)), 'conflict');
      assert.equal(await kindOfRejection(snapshots.removeCommitted(TOP)), 'conflict');
      await snapshots.removeActive(KEY);
      await snapshots.removeCommitted(TOP);
      await snapshots.removeCommitted(BOTTOM);
      assert.deepEqual(await snapshots.listCommitted(), []);
    });

    it('counts what a layer stands on', async () => {
      await commitLayer(snapshots, BOTTOM);
      await commitLayer(snapshots, TOP, BOTTOM);
      assert.equal(await snapshots.stackSize(TOP), 10);
      assert.equal(await snapshots.stackSize(BOTTOM), 5);
    });

    it('removes a layer that is not there without complaint', async () => {
      await snapshots.removeCommitted(TOP);
    });

    it('makes a layer of an active snapshot, which is gone then', async () => {
      await commitLayer(snapshots, BOTTOM);
      for (const outcome of ['committed', 'already-exists']) {
        await snapshots.prepareActive(KEY, BOTTOM);
        await snapshots.mount(KEY);
        const layer = { chainId: TOP, sizeBytes: 3 };
        assert.equal(await snapshots.commitActive(KEY, layer), outcome);
        assert.deepEqual(await snapshots.listActive(), []);
      }
      assert.equal(await snapshots.stackSize(TOP), 8);
      assert.equal(
        await kindOfRejection(snapshots.commitActive(KEY, { chainId: TOP, sizeBytes: 3 })),
        'not-found',
      );
    });

    it('makes one active snapshot for each key', async () => {
      await snapshots.prepareActive(KEY, undefined);
      assert.deepEqual(await snapshots.listActive(), [KEY]);
      assert.equal(await kindOfRejection(snapshots.prepareActive(KEY, undefined)), 'conflict');
      assert.equal(await snapshots.activeSize(KEY), 0);
    });

    it('refuses an active snapshot on a layer that is not there, and keeps nothing of it', async () => {
      assert.equal(await kindOfRejection(snapshots.prepareActive(KEY, TOP)), 'not-found');
      assert.deepEqual(await snapshots.listActive(), []);
    });

    it('mounts again and again at the same place', async () => {
      await snapshots.prepareActive(KEY, undefined);
      const place = await snapshots.mount(KEY);
      assert.ok(place.startsWith('/'));
      assert.equal(await snapshots.mount(KEY), place);
      await snapshots.unmount(KEY);
      await snapshots.unmount(KEY);
      assert.equal(await snapshots.mount(KEY), place);
    });

    it('refuses to mount what is not there', async () => {
      assert.equal(await kindOfRejection(snapshots.mount(KEY)), 'not-found');
      await snapshots.unmount(KEY);
    });

    it('tells no changes of a fresh snapshot, and of no other', async () => {
      await snapshots.prepareActive(KEY, undefined);
      const changes: string[] = [];
      for await (const { path } of snapshots.diff(KEY, []).changes()) changes.push(path);
      assert.deepEqual(changes, []);
      let bytes = 0;
      for await (const chunk of snapshots.diff(KEY, []).layerTar()) bytes += chunk.length;
      assert.equal(bytes, 1024);
      assert.throws(() => snapshots.diff('other', []), /no file system for other/);
    });

    it('removes an active snapshot while it is mounted, and again', async () => {
      await snapshots.prepareActive(KEY, undefined);
      await snapshots.mount(KEY);
      await snapshots.removeActive(KEY);
      await snapshots.removeActive(KEY);
      assert.deepEqual(await snapshots.listActive(), []);
    });
  });
}
