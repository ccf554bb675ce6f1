import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { layerTar, tarMember } from '../../../test/support/layer-tar.ts';
import { kindOf } from '../../shared/errors.ts';
import { TarParser } from './tar-parser.ts';

/** Names and contents, with the archive cut into pieces of `pieceBytes`. */
function read(archive: Buffer, pieceBytes = archive.length): Map<string, string> {
  const parser = new TarParser();
  const found = new Map<string, string>();
  let name = '';
  for (let at = 0; at < archive.length; at += pieceBytes) {
    parser.push(archive.subarray(at, at + pieceBytes));
    for (let event = parser.next(); event !== undefined; event = parser.next()) {
      if (event.kind === 'entry') {
        name = event.entry.name;
        found.set(name, '');
      } else if (event.kind === 'data') found.set(name, found.get(name) + event.bytes.toString());
    }
  }
  parser.finish();
  return found;
}

function firstEntry(archive: Buffer) {
  const parser = new TarParser();
  parser.push(archive);
  const event = parser.next();
  assert.equal(event?.kind, 'entry');
  return event.entry;
}

describe('the tar parser', () => {
  const archive = layerTar([
    { name: 'dir/', type: '5' },
    { name: 'dir/file', content: 'x'.repeat(1000) },
    { name: 'empty' },
    { name: 'short', pax: { path: `${'long/'.repeat(60)}name` }, content: 'long' },
  ]);

  it('reads the same however the bytes are cut', () => {
    const whole = read(archive);
    assert.equal(whole.get('dir/file')?.length, 1000);
    assert.equal(whole.get(`${'long/'.repeat(60)}name`), 'long');
    for (const pieceBytes of [1, 511, 512, 513, 4096]) {
      assert.deepEqual(read(archive, pieceBytes), whole);
    }
  });

  it('lets PAX records win over the header, and keeps their binary values', () => {
    const value = Buffer.from([0xff, 0, 0x0a, 0x3d]);
    const entry = firstEntry(
      layerTar([
        {
          name: 'a',
          uid: 1,
          pax: { uid: '3000000000', mtime: '1.25', 'SCHILY.xattr.user.x': value },
        },
      ]),
    );
    assert.equal(entry.uid, 3_000_000_000);
    assert.equal(entry.mtimeSeconds, 1.25);
    assert.deepEqual(entry.xattrs.get('user.x'), value);
  });

  it('knows the long names of GNU tar, and passes over global records', () => {
    const long = 'n'.repeat(200);
    const found = read(
      layerTar([
        { name: 'pax_global_header', type: 'g', content: '13 comment=x\n' },
        { name: '././@LongLink', type: 'L', content: `${long}\0` },
        { name: 'n'.repeat(100), content: 'c' },
      ]),
    );
    assert.deepEqual([...found.entries()], [[long, 'c']]);
  });

  it('reads numbers in base 256', () => {
    const member = tarMember({ name: 'a' });
    member.fill(0, 108, 116);
    member[108] = 0x80;
    member.writeUInt32BE(4_000_000_000, 112);
    member.fill(' ', 148, 156);
    const sum = member.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    member.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    assert.equal(firstEntry(member).uid, 4_000_000_000);
  });

  it('refuses a map of a sparse file that goes on and on', () => {
    const member = tarMember({ name: 'sparse', type: 'S' });
    member[482] = 1;
    member.fill(' ', 148, 156);
    const sum = member.reduce((total, byte) => total + byte, 0);
    member.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    const extension = Buffer.alloc(512);
    extension.write('00000000000\0'.repeat(42), 'latin1');
    extension[504] = 1;
    const parser = new TarParser();
    parser.push(member);
    assert.throws(
      () => {
        for (let block = 0; block < 10_000; block++) {
          parser.push(extension);
          assert.equal(parser.next(), undefined);
        }
      },
      { kind: 'corrupt', message: /invalid sparse map/ },
    );
  });

  it('takes an archive without end mark, and ignores what follows one', () => {
    assert.deepEqual([...read(tarMember({ name: 'a' })).keys()], ['a']);
    const trailing = Buffer.concat([layerTar([{ name: 'a' }]), Buffer.alloc(3000, 65)]);
    assert.deepEqual([...read(trailing).keys()], ['a']);
  });

  it('says that an archive is cut short, wherever it is', () => {
    for (const length of [100, 513, 700, 1300]) {
      assert.throws(() => read(archive.subarray(0, length)), /unexpected EOF/, String(length));
    }
  });

  it('refuses headers with a wrong checksum and records with wrong lengths', () => {
    const spoiled = Buffer.from(archive);
    spoiled[0] = 0x41;
    assert.throws(
      () => read(spoiled),
      (error) => kindOf(error) === 'corrupt',
    );
    for (const content of ['99 path=a\n', 'x path=a\n', '6 path', '0 a=b\n', '5 a=b\n']) {
      const bad = layerTar([{ name: 'pax', type: 'x', content }, { name: 'a' }]);
      assert.throws(
        () => read(bad),
        (error) => kindOf(error) === 'corrupt',
        content,
      );
    }
  });
});
