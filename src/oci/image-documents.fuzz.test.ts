import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, damaged, damagedJson, oneOf, randomOf } from '../../test/support/mutations.ts';
import { ociImage } from '../../test/support/oci-image.ts';
import { decodeImageConfig, decodeIndex, decodeJson, decodeManifest } from './decode-image.ts';
import { OCI_INDEX } from './media-types.ts';
import { canonicalReference, familiarReference, parseReference } from './reference.ts';

const RUNS = 3000;
const IMAGE = ociImage({
  layers: [{ a: 'a' }, { b: 'b' }],
  config: { Env: ['A=b'], Labels: { x: 'y' } },
});
const CONFIG = JSON.parse(IMAGE.blobs.get(IMAGE.manifest.config.digest)?.toString() ?? '');
const INDEX = {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...IMAGE.manifest.config, platform: { os: 'linux', architecture: 'amd64' } }],
};

const READERS = [
  { name: 'manifest', value: IMAGE.manifest, decode: decodeManifest },
  { name: 'config', value: CONFIG as unknown, decode: decodeImageConfig },
  { name: 'index', value: INDEX, decode: decodeIndex },
] as const;

for (const { name, value, decode } of READERS) {
  test(`a damaged ${name} is decoded or refused with the reason, never thrown at`, () => {
    assert.ok(decodeJson(Buffer.from(JSON.stringify(value)), decode as never).ok);
    let refused = 0;
    for (let seed = 0; seed < RUNS; seed++) {
      const random = randomOf(seed);
      const text = Buffer.from(JSON.stringify(damagedJson(value, random)));
      const bytes = below(random, 4) === 0 ? damaged(text, random) : text;
      const decoded = decodeJson(bytes, decode as never) as { ok: boolean; problem?: string };
      if (decoded.ok) continue;
      refused++;
      assert.ok((decoded.problem ?? '').length > 0, `seed ${seed}`);
    }
    assert.ok(refused > RUNS / 10, 'the damage does no harm: it tests nothing');
  });
}

test('whatever is taken for a reference is written and read back as itself', () => {
  const pieces = [
    'busybox',
    'host:5000',
    '/',
    ':',
    '@',
    'sha256:',
    'a'.repeat(64),
    '..',
    '__',
    '-',
    '.',
    'Ä',
    ' ',
    '\0',
    '[::1]',
    'latest',
  ];
  let taken = 0;
  for (let seed = 0; seed < RUNS * 3; seed++) {
    const random = randomOf(seed);
    const text = Array.from({ length: 1 + below(random, 6) }, () => oneOf(random, pieces)).join('');
    const parsed = parseReference(text);
    if (!parsed.ok) continue;
    taken++;
    const full = canonicalReference(parsed.reference);
    for (const written of [full, familiarReference(parsed.reference)]) {
      const again = parseReference(written);
      assert.ok(again.ok, `${JSON.stringify(text)} became ${JSON.stringify(written)}`);
      assert.equal(canonicalReference(again.reference), full);
    }
    assert.ok(!/\.\.\/|\/\.\.|\0/.test(full), full);
  }
  assert.ok(taken > 100, 'nothing is a reference: it tests nothing');
});
