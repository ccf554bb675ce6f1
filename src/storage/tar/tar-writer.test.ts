import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TarEntry } from './tar-entry.ts';
import { TarParser } from './tar-parser.ts';
import { encodeTarHeader, padding, TAR_END, type WritableEntry } from './tar-writer.ts';

const PLAIN: WritableEntry = {
  type: 'file',
  name: 'a/b',
  linkName: '',
  mode: 0o4755,
  uid: 7,
  gid: 8,
  size: 3,
  mtimeSeconds: 1_700_000_000,
  device: { major: 0, minor: 0 },
  xattrs: new Map(),
};

function roundTrip(entry: WritableEntry): TarEntry | undefined {
  const parser = new TarParser();
  const data = entry.type === 'file' ? Buffer.alloc(Math.min(entry.size, 3)) : Buffer.alloc(0);
  parser.push(Buffer.concat([encodeTarHeader(entry), data, padding(data.length), TAR_END]));
  const event = parser.next();
  return event?.kind === 'entry' ? event.entry : undefined;
}

describe('headers of tar entries', () => {
  it('hold plain facts without records', () => {
    assert.equal(encodeTarHeader(PLAIN).length, 512);
    assert.deepEqual(roundTrip(PLAIN), PLAIN);
  });

  it('hold links, directories, devices and fifos', () => {
    const entries: Partial<WritableEntry>[] = [
      { type: 'symlink', linkName: '../x', size: 0 },
      { type: 'hardlink', linkName: 'a/c', size: 0 },
      { type: 'directory', name: 'a/', size: 0 },
      { type: 'fifo', size: 0 },
      { type: 'character-device', device: { major: 1, minor: 3 }, size: 0 },
    ];
    for (const change of entries) {
      const entry = { ...PLAIN, ...change };
      assert.deepEqual(roundTrip(entry), entry);
    }
  });

  it('put into records what does not fit', () => {
    const entry: WritableEntry = {
      ...PLAIN,
      name: `${'d/'.repeat(80)}ü`,
      uid: 3_000_000_000,
      gid: 2_097_152,
      size: 2 ** 33,
      mtimeSeconds: -5,
      xattrs: new Map([['security.capability', Buffer.from([0, 10, 61, 255])]]),
    };
    assert.deepEqual(roundTrip(entry), entry);
  });

  it('count the length of a record that grows by its own digits', () => {
    for (let length = 85; length < 105; length++) {
      const entry = { ...PLAIN, name: 'ü'.padEnd(length, 'x') };
      assert.equal(roundTrip(entry)?.name, entry.name);
    }
  });
});
