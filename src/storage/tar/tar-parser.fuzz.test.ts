import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerTar } from '../../../test/support/layer-tar.ts';
import { below, damaged, randomOf } from '../../../test/support/mutations.ts';
import { kindOf } from '../../shared/errors.ts';
import { TarParser } from './tar-parser.ts';

const RUNS = 3000;

const ARCHIVE = layerTar([
  { name: 'etc/', type: '5', mode: 0o755 },
  { name: 'etc/motd', content: 'ahoy'.repeat(300) },
  {
    name: `long/${'x'.repeat(140)}`,
    content: 'y',
    pax: { path: 'other', 'SCHILY.xattr.user.a': 'b' },
  },
  { name: 'link', type: '2', linkName: 'etc/motd' },
  { name: 'hard', type: '1', linkName: 'etc/motd' },
  { name: 'sparse', content: `${'1\n0\n4\n'.padEnd(512, '\0')}data`, pax: sparse() },
  { name: 'null', type: '3', device: { major: 1, minor: 3 } },
]);

function sparse(): Record<string, string> {
  return { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '4096' };
}

/** Reads everything in pieces of random sizes; counts events and the bytes handed out. */
function read(bytes: Buffer, random: () => number): { events: number; dataBytes: number } {
  const parser = new TarParser();
  const count = { events: 0, dataBytes: 0 };
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + below(random, 2000));
    parser.push(bytes.subarray(at, end));
    at = end;
    for (let event = parser.next(); event !== undefined; event = parser.next()) {
      count.events++;
      if (event.kind === 'data') count.dataBytes += event.bytes.length;
    }
  }
  parser.finish();
  return count;
}

test('the archive that is damaged below is read whole', () => {
  assert.ok(read(ARCHIVE, randomOf(1)).events > 14);
});

test('a damaged archive is read in part or refused as corrupt, and gives no more bytes than it has', () => {
  let refused = 0;
  for (let seed = 0; seed < RUNS; seed++) {
    const random = randomOf(seed);
    const bytes = damaged(ARCHIVE, random);
    try {
      const { events, dataBytes } = read(bytes, random);
      assert.ok(dataBytes <= bytes.length, `seed ${seed}`);
      assert.ok(events <= bytes.length, `seed ${seed}`);
    } catch (error) {
      assert.equal(kindOf(error), 'corrupt', `seed ${seed}: ${String(error)}`);
      refused++;
    }
  }
  assert.ok(refused > RUNS / 10, 'the damage does no harm: it tests nothing');
});
