import { MemoryContentStore } from '../../src/storage/fake/memory-content-store.ts';
import { testContentStoreContract } from './content-store.ts';

testContentStoreContract('MemoryContentStore', async () => ({
  store: new MemoryContentStore(),
  dispose: async () => undefined,
}));
