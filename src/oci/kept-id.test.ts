import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepingMap, toContainerId, toEngineId } from './kept-id.ts';

const COUNT = 65_536;

for (const kept of [0, 1, 1000, COUNT - 1]) {
  test(`keeping ${kept} gives every id another one, and the caller's to it`, () => {
    const mappings = keepingMap(kept, COUNT);
    assert.equal(
      mappings.reduce((sum, { size }) => sum + size, 0),
      COUNT,
    );
    assert.equal(toEngineId(kept, kept), 0);
    const seen = new Set<number>();
    for (let id = 0; id < COUNT; id++) {
      const engineId = toEngineId(kept, id);
      seen.add(engineId);
      assert.equal(toContainerId(kept, engineId), id);
      const mapping = mappings.find(
        ({ containerID, size }) => id >= containerID && id < containerID + size,
      );
      assert.equal((mapping?.hostID ?? Number.NaN) + id - (mapping?.containerID ?? 0), engineId);
    }
    assert.equal(seen.size, COUNT);
  });
}
