import { FakeSnapshotter } from '../../src/storage/fake/fake-snapshotter.ts';
import { testSnapshotterContract } from './snapshotter.ts';

testSnapshotterContract('FakeSnapshotter', async () => ({
  snapshots: new FakeSnapshotter(),
  dispose: async () => undefined,
}));
