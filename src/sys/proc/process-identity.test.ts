import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identify, identifySync, isAlive, parseProcessStat } from './process-identity.ts';

const TAIL = 'S 7 8 8 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 4242 1000 20';

describe('process identity', () => {
  it('reads state, parent and start time behind a name with spaces and parentheses', () => {
    const stat = parseProcessStat(`31 (a) b (c) ${TAIL}`);
    assert.deepEqual(stat, { state: 'S', parentPid: 7, startTicks: 4242 });
  });

  it('refuses a line that was cut off', () => {
    assert.equal(parseProcessStat('31 (a) S 7'), undefined);
  });

  it('is the same for both ways of asking, and alive', async () => {
    const identity = await identify(process.pid);
    assert.ok(identity);
    assert.deepEqual(identifySync(process.pid), identity);
    assert.equal(await isAlive(identity), true);
  });

  it('takes a reused pid and another boot for dead', async () => {
    const identity = await identify(process.pid);
    assert.ok(identity);
    assert.equal(await isAlive({ ...identity, startTicks: identity.startTicks - 1 }), false);
    assert.equal(await isAlive({ ...identity, bootId: 'earlier' }), false);
  });

  it('knows nothing of a pid that nobody has', async () => {
    assert.equal(await identify(0x3fffff), undefined);
    assert.equal(identifySync(0x3fffff), undefined);
  });
});
