/** The digest of everything that a stream gives. */
import { type Digest, DigestCounter } from '../../oci/digest.ts';

export async function digestOfStream(source: AsyncIterable<Uint8Array>): Promise<Digest> {
  const counter = new DigestCounter();
  for await (const chunk of source) counter.update(chunk);
  return counter.digest();
}
