import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MigrationPlan, migrate } from './migrations.ts';

const PLAN: MigrationPlan = {
  current: 3,
  steps: {
    1: ({ title, ...rest }) => ({ ...rest, name: title }),
    2: (document) => ({ ...document, labels: {} }),
  },
};

describe('migrating a document', () => {
  it('goes through every version between its own and the present one', () => {
    assert.deepEqual(migrate({ v: 1, title: 'web' }, PLAN, 'f'), { v: 3, name: 'web', labels: {} });
  });

  it('leaves a document of the present version as it is', () => {
    const document = { v: 3, name: 'web', labels: { a: 'b' } };
    assert.equal(migrate(document, PLAN, 'f'), document);
  });

  it('refuses one of a newer program, naming both versions', () => {
    assert.throws(() => migrate({ v: 4 }, PLAN, 'f.json'), {
      kind: 'unavailable',
      message: /f\.json was written by a newer wherry \(document version 4, .* up to 3\)/,
    });
  });

  it('calls anything without a usable version corrupt', () => {
    for (const raw of [[], null, 'x', {}, { v: '3' }, { v: 0 }, { v: 1.5 }]) {
      assert.throws(() => migrate(raw, PLAN, 'f'), { kind: 'corrupt' });
    }
    assert.throws(() => migrate({ v: 1 }, { current: 2, steps: {} }, 'f'), { kind: 'corrupt' });
  });
});
