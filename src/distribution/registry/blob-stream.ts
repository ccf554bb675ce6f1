/** A blob's bytes from a registry; a broken connection is taken up again where it broke. */
import type { Descriptor } from '../../oci/image-spec.ts';
import type { IncomingResponse } from './http-transport.ts';
import type { RegistryConnection } from './registry-connection.ts';
import { downloadCutShort, isUnreachable, pullCancelled, unreachable } from './registry-errors.ts';
import { delayBefore, pause, type RetryPolicy } from './retry.ts';

export interface BlobRequest {
  readonly connection: RegistryConnection;
  readonly path: string;
  readonly scope: string;
  readonly blob: Pick<Descriptor, 'digest' | 'size'>;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Bytes of the beginning that are not wanted. */
  readonly offset: number;
}

/** Yields the blob from byte `offset` to its last. Progress renews the number of tries. */
export async function* streamBlob(request: BlobRequest): AsyncGenerator<Uint8Array, void, void> {
  const { blob } = request;
  let received = request.offset;
  for (let attempt = 2; ; attempt++) {
    const before = received;
    let failure: unknown;
    try {
      for await (const chunk of streamFrom(request, received)) {
        received += chunk.length;
        yield chunk;
      }
      if (received >= blob.size) return;
      failure = downloadCutShort(blob.digest, received, blob.size);
    } catch (error) {
      failure = error;
    }
    if (received > before) attempt = 2;
    await recover(request, { failure, attempt, received });
  }
}

/** Waits until it is time for the next try; throws when there should be none. */
async function recover(
  request: BlobRequest,
  state: { readonly failure: unknown; readonly attempt: number; readonly received: number },
): Promise<void> {
  const { blob, policy, signal } = request;
  const { failure, attempt, received } = state;
  if (signal.aborted) throw pullCancelled(failure);
  const delayMs = delayBefore(attempt, failure, policy);
  if (delayMs === undefined) {
    const broke = received > 0 && isUnreachable(failure);
    throw broke ? downloadCutShort(blob.digest, received, blob.size) : failure;
  }
  await pause(policy, delayMs, signal);
}

async function* streamFrom(request: BlobRequest, offset: number): AsyncGenerator<Uint8Array> {
  const { connection, path, scope, signal } = request;
  const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const response = await connection.send({ path, scope, headers, signal });
  try {
    let skip = bytesToSkip(response, offset);
    for await (const piece of response.body) {
      const chunk = piece as Buffer;
      const wanted = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - wanted.length;
      if (wanted.length > 0) yield wanted;
    }
  } catch (error) {
    throw unreachable(response.url, error);
  } finally {
    response.body.destroy();
  }
}

/** A server that does not know ranges answers 200 with everything: what we have already is passed over. */
function bytesToSkip(response: IncomingResponse, offset: number): number {
  if (offset === 0 || response.status !== 206) return offset;
  const start = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  return start === undefined ? 0 : Math.max(0, offset - Number(start));
}
