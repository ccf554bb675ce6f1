import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, unframe } from './frames.ts';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function textsOf(chunks: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const one of unframe(chunks)) texts.push(Buffer.from(one).toString());
  return texts;
}

test('messages come whole, however the bytes are cut', async () => {
  const texts = ['', 'a', 'x'.repeat(300), 'y'.repeat(20_000), 'z'.repeat(9000), 'end'];
  const bytes = Buffer.concat(texts.map((text) => frame(Buffer.from(text))));
  for (const size of [1, 3, 5, 64, 4096, bytes.length]) {
    assert.deepEqual(await textsOf(inPieces(bytes, size)), texts);
  }
});

test('a stream that ends within a message is an error', async () => {
  const cut = frame(Buffer.from('hello')).subarray(0, 7);
  await assert.rejects(textsOf(inPieces(cut, 2)), /truncated/);
});

test('compressed and oversized messages are refused before they are read', async () => {
  await assert.rejects(textsOf(inPieces(Buffer.from([1, 0, 0, 0, 0]), 5)), /compressed/);
  await assert.rejects(textsOf(inPieces(Buffer.from([0, 255, 0, 0, 0]), 5)), /larger than/);
});
