import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { ScriptedDisk } from '../../../test/support/scripted-disk.ts';
import { silentLogger } from '../../shared/logger.ts';
import { BackgroundSync, type SyncOutcome } from './background-sync.ts';

interface Rig {
  readonly disk: ScriptedDisk;
  readonly sync: BackgroundSync<string>;
  /** `<thing> <outcome>`, in order. */
  readonly settled: string[];
  readonly warnings: string[];
}

function makeRig(
  settle: (thing: string, outcome: SyncOutcome) => Promise<void> = async () => undefined,
): Rig {
  const disk = new ScriptedDisk();
  const settled: string[] = [];
  const warnings: string[] = [];
  const sync = new BackgroundSync<string>({
    dir: tmpdir(),
    disk,
    logger: { ...silentLogger, warn: (message) => warnings.push(message) },
    async settle(thing, outcome) {
      settled.push(`${thing} ${outcome}`);
      await settle(thing, outcome);
    },
  });
  return { disk, sync, settled, warnings };
}

/** A promise and how to end it. */
function makeGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a sync in the background', () => {
  it('serves with one call all that was written shortly before', async () => {
    const { disk, sync, settled } = makeRig();
    for (const thing of ['a', 'b', 'c']) sync.add(thing);
    await eventually(() => settled.length === 3);
    assert.deepEqual(settled, ['a synced', 'b synced', 'c synced']);
    assert.equal(disk.syncs, 1);
    await sync.close();
  });

  it('does not count for what was written while it ran', async () => {
    const { disk, sync, settled } = makeRig();
    const gate = makeGate();
    disk.onSync = () => gate.opened;
    sync.add('before');
    await eventually(() => disk.syncs === 1);
    sync.add('meanwhile');
    disk.onSync = async () => assert.deepEqual(settled, ['before synced']);
    gate.open();
    await eventually(() => settled.length === 2);
    assert.deepEqual([settled[1], disk.syncs], ['meanwhile synced', 2]);
    await sync.close();
  });

  it('that fails once counts for nothing any more, and says so once', async () => {
    const { disk, sync, settled, warnings } = makeRig();
    disk.onSync = async () => Promise.reject(new Error('input/output error'));
    sync.add('first');
    await eventually(() => settled.length === 1);
    disk.onSync = async () => undefined;
    sync.add('second');
    await eventually(() => settled.length === 2);
    assert.deepEqual(settled, ['first failed', 'second failed']);
    assert.equal(warnings.length, 1);
    await sync.close();
  });

  it('goes on to the next when one cannot be settled', async () => {
    const { sync, settled, warnings } = makeRig(async (thing) => {
      if (thing === 'a') throw new Error('no space left on device');
    });
    sync.add('a');
    sync.add('b');
    await eventually(() => settled.length === 2);
    assert.equal(warnings.length, 1);
    await sync.close();
  });

  it('is waited for at the end, but not begun', async () => {
    const { disk, sync, settled } = makeRig();
    const gate = makeGate();
    disk.onSync = () => gate.opened;
    sync.add('running');
    await eventually(() => disk.syncs === 1);
    sync.add('waiting');
    const closed = sync.close();
    gate.open();
    await closed;
    sync.add('late');
    await sync.close();
    assert.deepEqual(settled, ['running synced']);
    assert.equal(disk.syncs, 1);
  });
});
