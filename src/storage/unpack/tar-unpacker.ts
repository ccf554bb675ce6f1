/** Unpacks layer blobs: gunzip in the thread pool, digest of the tar stream, parser, extractor. */
import { once } from 'node:events';
import type { TransformOptions } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGunzip, type Gunzip, type ZlibOptions } from 'node:zlib';
import { type Digest, DigestCounter } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import { systemCode } from '../../shared/errors.ts';
import type {
  LayerToUnpack,
  LayerUnpacker,
  LayerUnpacking,
  UnpackedLayer,
} from '../layer-unpacker.ts';
import type { LayerSlot } from '../snapshotter.ts';
import {
  brokenArchive,
  unexpectedEnd,
  unsupportedCompression,
  wrongDiffId,
} from '../storage-errors.ts';
import { TarParser } from '../tar/tar-parser.ts';
import { LayerExtractor } from './layer-extractor.ts';

/** One chunk is extracted without a pause: at most 128 entries, a few milliseconds. */
const CHUNK_BYTES = 64 * 1024;

/** How far gunzip may run ahead of the extraction. */
const READ_AHEAD_BYTES = 1024 * 1024;

const GUNZIP_OPTIONS: ZlibOptions & TransformOptions = {
  chunkSize: CHUNK_BYTES,
  highWaterMark: READ_AHEAD_BYTES,
};

const GZIP_MAGIC = [0x1f, 0x8b];

export class TarUnpacker implements LayerUnpacker {
  begin(slot: Pick<LayerSlot, 'dir' | 'whiteouts'>, layer: LayerToUnpack): LayerUnpacking {
    const compression = layerCompression(layer.mediaType);
    if (compression === undefined || compression === 'zstd') {
      throw unsupportedCompression(layer.mediaType);
    }
    return new TarUnpacking(slot, layer.diffId);
  }
}

class TarUnpacking implements LayerUnpacking {
  readonly #diffId: Digest;
  readonly #digest = new DigestCounter();
  readonly #parser = new TarParser();
  readonly #extractor: LayerExtractor;
  #gunzip: Gunzip | undefined;
  /** Settles when everything that came out of gunzip is extracted. */
  #extraction: Promise<void> = Promise.resolve();
  #failure: unknown;
  #begun = false;
  #ended = false;

  constructor(slot: Pick<LayerSlot, 'dir' | 'whiteouts'>, diffId: Digest) {
    this.#diffId = diffId;
    this.#extractor = new LayerExtractor(slot);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    if (chunk.length === 0) return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (!this.#begun) this.#beginWith(bytes);
    if (this.#gunzip === undefined) return this.#extractInSlices(bytes);
    if (!this.#gunzip.write(bytes)) await this.#drained(this.#gunzip);
    this.#throwIfFailed();
  }

  async finish(): Promise<UnpackedLayer> {
    this.#throwIfFailed();
    this.#gunzip?.end();
    await this.#extraction;
    this.#throwIfFailed();
    this.#parser.finish();
    const actual = this.#digest.digest();
    if (actual !== this.#diffId) throw wrongDiffId(this.#diffId, actual);
    while (this.#extractor.finishSome()) {
      await setImmediate();
      this.#throwIfFailed();
    }
    const unpacked = this.#extractor.finish();
    this.#ended = true;
    return unpacked;
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure ??= new Error('unpacking was aborted');
    this.#gunzip?.destroy();
    await this.#extraction.catch(() => undefined);
    this.#extractor.close();
  }

  /** Trusts the bytes, not the media type: registries hold plain layers that are announced as gzip. */
  #beginWith(bytes: Buffer): void {
    this.#begun = true;
    const isGzip = bytes[0] === GZIP_MAGIC[0] && (bytes.length < 2 || bytes[1] === GZIP_MAGIC[1]);
    if (!isGzip) return;
    const gunzip = createGunzip(GUNZIP_OPTIONS);
    this.#gunzip = gunzip;
    this.#extraction = this.#consume(gunzip);
    // The failure is reported by the next write or by finish.
    this.#extraction.catch((error: unknown) => {
      this.#failure ??= error;
      gunzip.destroy();
    });
  }

  async #consume(gunzip: Gunzip): Promise<void> {
    try {
      for await (const piece of gunzip) {
        await this.#extract(piece as Buffer);
        // Lets gunzip's thread hand over what it has and take more, so that both work at once.
        await setImmediate();
      }
    } catch (error) {
      throw fromZlib(error);
    }
  }

  async #extractInSlices(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      await this.#extract(bytes.subarray(at, at + CHUNK_BYTES));
    }
  }

  async #extract(piece: Buffer): Promise<void> {
    this.#digest.update(piece);
    this.#parser.push(piece);
    for (let event = this.#parser.next(); event !== undefined; event = this.#parser.next()) {
      const wait = this.#extractor.handle(event);
      if (wait !== undefined) await wait;
      this.#throwIfFailed();
    }
  }

  /** Waits until gunzip takes more, or until the extraction has failed. */
  async #drained(gunzip: Gunzip): Promise<void> {
    const stop = new AbortController();
    try {
      await Promise.race([once(gunzip, 'drain', { signal: stop.signal }), this.#extraction]);
    } catch (error) {
      this.#failure ??= fromZlib(error);
    } finally {
      stop.abort();
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function fromZlib(error: unknown): unknown {
  const code = systemCode(error);
  if (code === 'Z_BUF_ERROR' || code === 'ERR_STREAM_PREMATURE_CLOSE') return unexpectedEnd();
  if (code?.startsWith('Z_') === true) return brokenArchive('gzip: invalid header');
  return error;
}
