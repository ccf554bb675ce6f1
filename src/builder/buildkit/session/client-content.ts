/** Blobs in a directory of the client, an OCI layout: where caches of `type=local` are. */

import { digestOf } from '../../../oci/digest.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import { GRPC_CODE, StatusError } from '../grpc/grpc-errors.ts';
import { CONTENT_INFO, CONTENT_READ, CONTENT_WRITE, WRITE_ACTION } from '../proto/content.ts';
import { corruptBlob } from './session-errors.ts';
import type { Session } from './session-registry.ts';

/** Names the directory in the metadata of a call. */
const STORE_ID = 'buildkit-attachable-store-id';
/** Clients take no messages of more than a few megabytes. */
const PIECE_BYTES = 1024 * 1024;

export class ClientContent {
  readonly #session: Session;
  readonly #metadata: ReadonlyMap<string, readonly string[]>;

  /** `dir` as the client names it. */
  constructor(session: Session, dir: string) {
    this.#session = session;
    this.#metadata = new Map([[STORE_ID, [`local:${dir}`]]]);
  }

  /** Size in bytes; undefined when the blob is not there. */
  async stat(digest: string, signal: AbortSignal): Promise<number | undefined> {
    try {
      const options = { metadata: this.#metadata, signal };
      return (await this.#session.call(CONTENT_INFO, { digest }, options)).info?.size;
    } catch (error) {
      if (isStatus(error, GRPC_CODE.notFound)) return undefined;
      throw error;
    }
  }

  async *open(
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const call = this.#session.open(CONTENT_READ, { metadata: this.#metadata, signal });
    try {
      await call.send({ digest, size });
      call.end();
      for await (const { data } of call.messages) yield data;
    } finally {
      call.cancel();
    }
  }

  /** A whole document, checked against its digest. */
  async read(blob: Pick<Descriptor, 'digest' | 'size'>, signal: AbortSignal): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.open(blob, signal)) parts.push(part);
    const bytes = Buffer.concat(parts);
    if (digestOf(bytes) !== blob.digest) throw corruptBlob(blob.digest);
    return bytes;
  }

  /** Writes a blob; one that is there stays. */
  async write(
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    if ((await this.stat(digest, signal)) !== undefined) return;
    const call = this.#session.open(CONTENT_WRITE, { metadata: this.#metadata, signal });
    const answers = call.messages[Symbol.asyncIterator]();
    const common = { ref: `cache-${digest}`, total: size, expected: digest };
    try {
      // Where an earlier attempt has ended.
      await call.send({ ...common, action: WRITE_ACTION.stat });
      const begun = (await answers.next()).value?.offset ?? 0;
      let offset = 0;
      for await (const chunk of source) {
        for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
          const data = chunk.subarray(at, at + PIECE_BYTES);
          const skipped = Math.min(Math.max(begun - offset, 0), data.length);
          offset += data.length;
          if (skipped === data.length) continue;
          const rest = data.subarray(skipped);
          const place = { offset: offset - rest.length, data: rest };
          await call.send({ ...common, action: WRITE_ACTION.write, ...place });
          await answers.next();
        }
      }
      await call.send({ ...common, action: WRITE_ACTION.commit, offset });
      await answers.next();
      call.end();
    } catch (error) {
      if (!isStatus(error, GRPC_CODE.alreadyExists)) throw error;
    } finally {
      call.cancel();
    }
  }
}

const isStatus = (error: unknown, code: number) =>
  error instanceof StatusError && error.status.code === code;
