/** Files of a log as bytes that can be read from any place, also the compressed ones. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { temporaryNameFor } from '../../sys/fs/durable.ts';
import type { OpenSegment } from './log-segments.ts';

const BLOCK_BYTES = 128 << 10;

/**
 * The segment's own file, or a nameless one with what it holds uncompressed. What is returned is the caller's to
 * close, and then the only thing to close.
 */
export async function plainFile(segment: OpenSegment): Promise<FileHandle> {
  if (!segment.isCompressed) return segment.file;
  const temporary = temporaryNameFor(segment.path);
  const plain = await open(temporary, 'wx+', 0o600);
  try {
    await rm(temporary);
    await pipeline(blocksOf(segment.file), createGunzip(), (chunks: AsyncIterable<Buffer>) =>
      writeAll(plain, chunks),
    );
    return plain;
  } catch (error) {
    await plain.close();
    throw error;
  } finally {
    await segment.file.close();
  }
}

/** The bytes of an open file from its start. The file stays open. */
async function* blocksOf(file: FileHandle): AsyncGenerator<Buffer> {
  let position = 0;
  for (;;) {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield block.subarray(0, bytesRead);
  }
}

/** Appends everything to an open file. */
async function writeAll(file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) await file.writeFile(chunk);
}
