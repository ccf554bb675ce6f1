/** What the tools of the distribution have packed, unpacked by the machine's libraries. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { kindOf } from '../../src/shared/errors.ts';
import { compressionOf, decompressed } from '../../src/sys/compression/decompress.ts';
import { requires } from '../support/capabilities.ts';
import { PACKER_NAMES, pack } from '../support/pack.ts';

const CONTENT = Buffer.concat([
  Buffer.alloc(3_000_000, 'a line of text that repeats\n'),
  randomBytes(300_000),
]);

async function* slices(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpack(bytes: Buffer, size = 65_536): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of decompressed(slices(bytes, size))) pieces.push(piece);
  return Buffer.concat(pieces);
}

for (const name of PACKER_NAMES) {
  describe(`a stream packed by ${name}`, requires(name), () => {
    let packed: Buffer = Buffer.alloc(0);
    before(() => {
      packed = pack(name, CONTENT);
    });

    it('is recognised and unpacked, whatever its pieces', async () => {
      assert.equal(compressionOf(packed), name);
      for (const size of [1 << 20, 4_099]) {
        assert.ok((await unpack(packed, size)).equals(CONTENT), `pieces of ${size}`);
      }
      const small = pack(name, Buffer.from('x'));
      assert.equal((await unpack(small, 1)).toString(), 'x');
      assert.equal((await unpack(pack(name, Buffer.alloc(0)))).length, 0);
    });

    it('may follow another one', async () => {
      const twice = await unpack(Buffer.concat([packed, pack(name, Buffer.from('end'))]));
      assert.ok(twice.equals(Buffer.concat([CONTENT, Buffer.from('end')])));
    });

    it('is refused when it is cut short or damaged', async () => {
      const failure = async (bytes: Buffer) =>
        await unpack(bytes).then(
          () => 'none',
          (error: unknown) => kindOf(error),
        );
      assert.equal(await failure(packed.subarray(0, packed.length - 20)), 'corrupt');
      const damaged = Buffer.from(packed);
      damaged.fill(0xa5, packed.length >> 1, (packed.length >> 1) + 64);
      assert.equal(await failure(damaged), 'corrupt');
    });

    it('passes on what its source says, and lets it go when it is left', async () => {
      let isLeft = false;
      const source = async function* (breaks: boolean) {
        try {
          yield packed.subarray(0, packed.length >> 1);
          if (breaks) throw new Error('the line broke');
          yield packed.subarray(packed.length >> 1);
        } finally {
          isLeft = true;
        }
      };
      await assert.rejects(async () => {
        for await (const piece of decompressed(source(true))) assert.ok(piece.length > 0);
      }, /the line broke/);
      isLeft = false;
      for await (const piece of decompressed(source(false))) {
        assert.ok(piece.length > 0);
        break;
      }
      assert.ok(isLeft);
    });
  });
}

it('what is not compressed comes as it is', async () => {
  for (const text of ['', 'x', 'plain text']) {
    assert.equal((await unpack(Buffer.from(text), 1)).toString(), text);
  }
});
