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
      frontendAttrs: new Map([['attest:provenance', 'mode=max,version=v1']]),
      cache: {
        exports: [
          {
            type: 'registry',
            attrs: new Map([
              ['ref', 'a'],
              ['compression', 'zstd'],
            ]),
          },
        ],
      },
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
    'provenance has the form of SLSA 0.2, not that of 1',
    'option compression=zstd of the cache export registry has no effect',
    'option compression=zstd of output oci has no effect',
    'option rewrite-timestamp=true of output oci has no effect',
    'option annotation.a=b of output oci has no effect',
  ]);
});
