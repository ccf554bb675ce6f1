/** The writing half of the stub registry: uploads that can break in the middle and be taken up again. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { digestOf } from '../../src/oci/digest.ts';

/** What uploads write to. */
export interface UploadShelf {
  hasBlob(digest: string): boolean;
  putBlob(bytes: Buffer): void;
}

export class StubUploads {
  readonly #shelf: UploadShelf;
  readonly #sessions = new Map<string, Buffer>();
  /** Bytes that arrived in bodies, those of broken uploads included. */
  receivedBytes = 0;
  /** False: the registry forgets an upload that broke. */
  remembersBroken = true;

  constructor(shelf: UploadShelf) {
    this.#shelf = shelf;
  }

  /** Answers a request below `/blobs/uploads/`. With `breakAfter`, the connection breaks after so many bytes. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    breakAfter: number | undefined,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stub');
    if (request.method === 'POST') {
      this.#begin(url, response);
      return;
    }
    const id = url.pathname.split('/').at(-1) ?? '';
    const before = this.#sessions.get(id);
    if (before === undefined) {
      response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}');
      return;
    }
    const start = Number(
      /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? before.length,
    );
    if (start !== before.length) {
      response.writeHead(416).end();
      return;
    }
    const received = await readUpTo(request, breakAfter);
    this.receivedBytes += received.length;
    const bytes = Buffer.concat([before, received]);
    this.#sessions.set(id, bytes);
    if (breakAfter !== undefined) {
      if (!this.remembersBroken) this.#sessions.delete(id);
      response.destroy();
    } else if (request.method === 'PUT') this.#finish(url, bytes, response);
    else {
      const location = `${url.pathname}?state=${bytes.length}`;
      const range = `0-${Math.max(0, bytes.length - 1)}`;
      response.writeHead(request.method === 'PATCH' ? 202 : 204, { location, range }).end();
    }
  }

  #begin(url: URL, response: ServerResponse): void {
    const mount = url.searchParams.get('mount');
    if (mount !== null && this.#shelf.hasBlob(mount)) {
      response.writeHead(201, { location: `/v2/blobs/${mount}` }).end();
      return;
    }
    const id = `upload-${this.#sessions.size}`;
    this.#sessions.set(id, Buffer.alloc(0));
    response.writeHead(202, { location: `${url.pathname}${id}?state=0`, range: '0-0' }).end();
  }

  #finish(url: URL, bytes: Buffer, response: ServerResponse): void {
    if (digestOf(bytes) !== url.searchParams.get('digest')) {
      response
        .writeHead(400)
        .end('{"errors":[{"code":"DIGEST_INVALID","message":"wrong digest"}]}');
      return;
    }
    this.#shelf.putBlob(bytes);
    response.writeHead(201).end();
  }
}

async function readUpTo(request: IncomingMessage, limit: number | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    const chunk = (piece as Buffer).subarray(0, (limit ?? Number.POSITIVE_INFINITY) - size);
    chunks.push(chunk);
    size += chunk.length;
    if (limit !== undefined && size >= limit) break;
  }
  return Buffer.concat(chunks);
}
