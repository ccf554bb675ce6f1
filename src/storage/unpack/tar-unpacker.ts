/** Unpacks layer blobs: decompression in the thread pool, digest of the tar stream, parser, extractor. */
import { once } from 'node:events';
import { type Duplex, PassThrough, type TransformOptions } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGunzip, type ZlibOptions } from 'node:zlib';
import { type Digest, DigestCounter } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import { systemCode } from '../../shared/errors.ts';
import { Pace } from '../../shared/pace.ts';
import { compressionOf, decoded, LONGEST_SIGNATURE } from '../../sys/compression/decompress.ts';
import { SpaceGuard } from '../../sys/fs/space-guard.ts';
import type {
  LayerToUnpack,
  LayerUnpacker,
  LayerUnpacking,
  UnpackedLayer,
} from '../layer-unpacker.ts';
import type { LayerSlot } from '../snapshotter.ts';
import {
  brokenArchive,
  layerFillsDisk,
  unexpectedEnd,
  unsupportedCompression,
  wrongDiffId,
} from '../storage-errors.ts';
import { TarParser } from '../tar/tar-parser.ts';
import { LayerExtractor } from './layer-extractor.ts';

/** One chunk has at most 128 entries. */
const CHUNK_BYTES = 64 * 1024;

/** How far the decompression may run ahead of the extraction. */
const READ_AHEAD_BYTES = 1024 * 1024;

const GUNZIP_OPTIONS: ZlibOptions & TransformOptions = {
  chunkSize: CHUNK_BYTES,
  highWaterMark: READ_AHEAD_BYTES,
};

export class TarUnpacker implements LayerUnpacker {
  begin(slot: Pick<LayerSlot, 'dir' | 'whiteouts'>, layer: LayerToUnpack): LayerUnpacking {
    if (layerCompression(layer.mediaType) === undefined) {
      throw unsupportedCompression(layer.mediaType);
    }
    return new TarUnpacking(slot, layer.diffId);
  }
}

class TarUnpacking implements LayerUnpacking {
  readonly #diffId: Digest | undefined;
  readonly #digest = new DigestCounter();
  readonly #parser = new TarParser();
  readonly #extractor: LayerExtractor;
  readonly #space: SpaceGuard;
  readonly #pace = new Pace();
  /** Undoes the compression; undefined for plain layers. */
  #decoder: LayerDecoder | undefined;
  /** Settles when everything that came out of the decoder is extracted. */
  #extraction: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** What came before it was clear how the layer is packed. */
  #start: Buffer = Buffer.alloc(0);
  #begun = false;
  #ended = false;

  constructor(slot: Pick<LayerSlot, 'dir' | 'whiteouts'>, diffId: Digest | undefined) {
    this.#diffId = diffId;
    this.#extractor = new LayerExtractor(slot);
    this.#space = new SpaceGuard(slot.dir, layerFillsDisk);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#begun) return this.#take(bytes);
    this.#start = Buffer.concat([this.#start, bytes]);
    if (this.#start.length >= LONGEST_SIGNATURE) await this.#begin();
  }

  async finish(): Promise<UnpackedLayer> {
    this.#throwIfFailed();
    if (!this.#begun) await this.#begin();
    this.#decoder?.input.end();
    await this.#extraction;
    this.#throwIfFailed();
    this.#parser.finish();
    if (this.#diffId !== undefined) verify(this.#diffId, this.#digest.digest());
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
    this.#decoder?.input.destroy();
    await this.#extraction.catch(() => undefined);
    this.#extractor.close();
  }

  /** Trusts the bytes, not the media type: registries hold plain layers that are announced as gzip. */
  async #begin(): Promise<void> {
    this.#begun = true;
    const decoder = decoderFor(this.#start);
    if (decoder !== undefined) {
      this.#decoder = decoder;
      this.#extraction = this.#consume(decoder);
      // The failure is reported by the next write or by finish.
      this.#extraction.catch((error: unknown) => {
        this.#failure ??= error;
        decoder.input.destroy();
      });
    }
    await this.#take(this.#start);
  }

  async #take(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    if (this.#decoder === undefined) return this.#extractInSlices(bytes);
    const { input } = this.#decoder;
    if (!input.write(bytes)) await this.#drained(input);
    this.#throwIfFailed();
  }

  async #consume({ output }: LayerDecoder): Promise<void> {
    try {
      for await (const piece of output) {
        await this.#extract(piece);
        // Lets the decoder's thread hand over what it has and take more, so that both work at once.
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
    if (this.#diffId !== undefined) this.#digest.update(piece);
    this.#parser.push(piece);
    for (let event = this.#parser.next(); event !== undefined; event = this.#parser.next()) {
      const wait = this.#extractor.handle(event);
      if (wait !== undefined) await wait;
      const pause = this.#pace.step();
      if (pause !== undefined) await pause;
      this.#throwIfFailed();
    }
    const answer = this.#space.wrote(piece.length);
    if (answer !== undefined) await answer;
  }

  /** Waits until the decoder takes more, or until the extraction has failed. */
  async #drained(input: Duplex): Promise<void> {
    const stop = new AbortController();
    try {
      await Promise.race([once(input, 'drain', { signal: stop.signal }), this.#extraction]);
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

function verify(expected: Digest, actual: Digest): void {
  if (actual !== expected) throw wrongDiffId(expected, actual);
}

/** Takes the packed bytes and gives the plain ones. Destroying the input ends the output. */
interface LayerDecoder {
  readonly input: Duplex;
  readonly output: AsyncIterable<Buffer>;
}

/** Undefined for a plain stream. Compressions that layers do not have are no tar stream either. */
function decoderFor(start: Buffer): LayerDecoder | undefined {
  const compression = compressionOf(start);
  if (compression === 'zstd') {
    // Not `Duplex.from`: destroyed while its source is awaited, it never lets the decoder free its memory.
    const input = new PassThrough({ highWaterMark: CHUNK_BYTES });
    input.on('error', () => undefined);
    return { input, output: decoded('zstd', input) };
  }
  if (compression !== 'gzip') return undefined;
  const gunzip = createGunzip(GUNZIP_OPTIONS);
  return { input: gunzip, output: gunzip };
}

function fromZlib(error: unknown): unknown {
  const code = systemCode(error);
  if (code === 'Z_BUF_ERROR' || code === 'ERR_STREAM_PREMATURE_CLOSE') return unexpectedEnd();
  if (code?.startsWith('Z_') === true) return brokenArchive('gzip: invalid header');
  return error;
}
