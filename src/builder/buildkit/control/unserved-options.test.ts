import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SolveRequest } from '../proto/control.ts';
import { unservedOptions } from './unserved-options.ts';

const order = (changes: Parameters<typeof SolveRequest.encode>[0]) =>
  SolveRequest.decode(SolveRequest.encode(changes));

test('what clients send by themselves is nothing to complain of', () => {
  const ordinary = order({
    frontendAttrs: new Map([['attest:provenance', 'mode=min,inline-only=true']]),
    exporters: [
      {
        type: 'moby',
        attrs: new Map([
          ['name', 'a'],
          ['prefer-image-digest', 'true'],
          ['rewrite-timestamp', 'false'],
        ]),
      },
    ],
  });
  assert.deepEqual(unservedOptions(ordinary), []);
});

test('what has no effect is told', () => {
  const told = unservedOptions(
    order({
      frontendAttrs: new Map([
        ['attest:provenance', 'mode=max'],
        ['cache-imports', '[]'],
      ]),
      cache: { exports: [{ type: 'registry' }] },
      exporters: [
        {
          type: 'oci',
          attrs: new Map([
            ['compression', 'zstd'],
            ['rewrite-timestamp', 'true'],
            ['annotation.a', 'b'],
          ]),
        },
      ],
    }),
  );
  assert.deepEqual(told, [
    'provenance attestations are not made',
    'the cache is not exported (type=registry): it stays in the engine',
    'caches of other places are not looked at: the cache goes by content',
    'option compression=zstd of output oci has no effect',
    'option rewrite-timestamp=true of output oci has no effect',
    'option annotation.a=b of output oci has no effect',
  ]);
});
