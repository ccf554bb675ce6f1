import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { Leases } from './leases.ts';

const DIGEST = digestOf('a');

describe('leases', () => {
  it('hold until the last one is released', async () => {
    const leases = new Leases();
    const first = await leases.hold([DIGEST]);
    const second = await leases.hold([DIGEST]);
    first();
    first();
    assert.equal(leases.isHeld(DIGEST), true);
    second();
    assert.equal(leases.isHeld(DIGEST), false);
  });

  it('cannot be taken while a sweep runs', async () => {
    const leases = new Leases();
    const order: string[] = [];
    let finish: () => void = () => assert.fail('the sweep has not begun');
    const sweep = leases.exclusively(async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push('swept');
    });
    const hold = leases.hold([DIGEST]).then(() => order.push('held'));
    assert.equal(leases.isHeld(DIGEST), false);
    finish();
    await Promise.all([sweep, hold]);
    assert.deepEqual(order, ['swept', 'held']);
  });

  it('let the next sweep run after one that failed', async () => {
    const leases = new Leases();
    await assert.rejects(
      leases.exclusively(() => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(await leases.exclusively(async () => 'yes'), 'yes');
  });
});
