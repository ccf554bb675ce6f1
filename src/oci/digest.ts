/** Content digests (OCI image-spec, descriptor.md, "Digests"). Only sha256 is accepted. */
import { createHash, type Hash } from 'node:crypto';

declare const digestBrand: unique symbol;
/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = string & { readonly [digestBrand]: 'Digest' };

const SHA256 = /^sha256:[0-9a-f]{64}$/;

/** The text as a digest, or undefined when it is not a well-formed sha256 one. */
export function parseDigest(text: string): Digest | undefined {
  return SHA256.test(text) ? (text as Digest) : undefined;
}

/** The 64 hexadecimal digits of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The digest of bytes held in memory. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** Computes a digest over a stream of chunks. */
export class DigestCounter {
  readonly #hash: Hash = createHash('sha256');
  #sizeBytes = 0;

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The digest of everything seen. Call once. */
  digest(): Digest {
    return `sha256:${this.#hash.digest('hex')}` as Digest;
  }
}
