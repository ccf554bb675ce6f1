/** `Downloads` by HTTP, over the same ways as registries. */
import type { Download, Downloads } from '../downloads.ts';
import {
  HttpTransport,
  type IncomingResponse,
  readBody,
  type TransportOptions,
} from './http-transport.ts';
import { downloadCutShort, downloadRefused, unreachable } from './registry-errors.ts';

const MAX_ERROR_BYTES = 64 * 1024;

export class HttpDownloads implements Downloads {
  readonly #transport: HttpTransport;

  constructor(options: TransportOptions) {
    this.#transport = new HttpTransport(options);
  }

  async open(url: URL, signal: AbortSignal): Promise<Download> {
    const response = await this.#transport.send({ url, method: 'GET', headers: {}, signal });
    if (response.status >= 400) {
      const body = await readBody(response, 'error', MAX_ERROR_BYTES).catch(() => Buffer.alloc(0));
      throw downloadRefused(url, response.status, body.toString('utf8').trim());
    }
    const length = Number(response.headers['content-length'] ?? Number.NaN);
    const sizeBytes = Number.isSafeInteger(length) ? length : undefined;
    const modifiedMs = Date.parse(response.headers['last-modified'] ?? '');
    return {
      ...{ sizeBytes, bytes: bodyOf(response, sizeBytes) },
      ...(Number.isNaN(modifiedMs) ? {} : { modifiedMs }),
    };
  }
}

async function* bodyOf(
  { url, body }: IncomingResponse,
  sizeBytes: number | undefined,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  try {
    for await (const chunk of body) {
      received += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  } catch (error) {
    throw unreachable(url, error);
  } finally {
    body.destroy();
  }
  if (sizeBytes !== undefined && received < sizeBytes) {
    throw downloadCutShort(url.href, received, sizeBytes);
  }
}
