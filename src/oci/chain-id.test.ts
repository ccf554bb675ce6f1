import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chainIds } from './chain-id.ts';
import { digestOf } from './digest.ts';

describe('chainIDs', () => {
  it('are the diffID for the bottom layer and name all layers below for the others', () => {
    const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')];
    const ab = digestOf(`${a} ${b}`);
    assert.deepEqual(chainIds([a, b, c]), [a, ab, digestOf(`${ab} ${c}`)]);
    assert.deepEqual(chainIds([]), []);
  });
});
