/**
 * Reads a request's body from a socket that node's parser has let go of: exactly the framed bytes, so that what
 * follows is the client's stdin and nothing else.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { bodyTooLarge, malformedFraming } from '../wire/wire-errors.ts';
import { clientHungUp } from './api-errors.ts';
import { MAX_JSON_BYTES } from './request-body.ts';

/** Longest line of chunked framing (a size with extensions, or a trailer). */
const MAX_LINE_BYTES = 8 * 1024;

/**
 * The body as text, framed by `Transfer-Encoding: chunked` or `Content-Length` (RFC 9112, section 6); without
 * either there is none. Bytes behind it are left on the socket. The socket must not flow yet.
 */
export async function readSocketBody(
  socket: Socket,
  headers: IncomingHttpHeaders,
): Promise<string> {
  const reader = new SocketReader(socket);
  try {
    if (/(?:^|,)\s*chunked\s*$/i.test(headers['transfer-encoding'] ?? '')) {
      return await readChunked(reader);
    }
    const length = Number(headers['content-length'] ?? 0);
    if (length > MAX_JSON_BYTES) throw bodyTooLarge(MAX_JSON_BYTES);
    return (await reader.take(length)).toString('utf8');
  } finally {
    reader.release();
  }
}

async function readChunked(reader: SocketReader): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  while (true) {
    const line = await reader.takeLine();
    const size = /^([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined) throw malformedFraming(`"${line.slice(0, 32)}" is no chunk size`);
    const length = Number.parseInt(size, 16);
    total += length;
    if (total > MAX_JSON_BYTES) throw bodyTooLarge(MAX_JSON_BYTES);
    if (length === 0) break;
    chunks.push(await reader.take(length));
    if ((await reader.takeLine()) !== '') throw malformedFraming('a chunk is longer than its size');
  }
  // Trailers, up to the empty line.
  while ((await reader.takeLine()) !== '');
  return Buffer.concat(chunks).toString('utf8');
}

/** Takes exact amounts off a paused socket and puts back what was not used. */
class SocketReader {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async take(length: number): Promise<Buffer> {
    while (this.#buffer.length < length) await this.#fill();
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  /** The bytes up to the next line feed, without the line ending. */
  async takeLine(): Promise<string> {
    let end = this.#buffer.indexOf(10);
    while (end < 0) {
      if (this.#buffer.length > MAX_LINE_BYTES) throw malformedFraming('a line is too long');
      await this.#fill();
      end = this.#buffer.indexOf(10);
    }
    const line = (await this.take(end + 1)).toString('latin1');
    return line.replace(/\r?\n$/, '');
  }

  release(): void {
    if (this.#buffer.length > 0) this.#socket.unshift(this.#buffer);
    this.#buffer = Buffer.alloc(0);
  }

  async #fill(): Promise<void> {
    const ready: Buffer | null = this.#socket.read();
    const chunk = ready ?? (await this.#nextChunk());
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  #nextChunk(): Promise<Buffer> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const settle = (error: Error | undefined, chunk?: Buffer) => {
        socket.off('readable', onReadable);
        socket.off('end', onEnd);
        socket.off('close', onEnd);
        if (chunk === undefined) reject(error);
        else resolve(chunk);
      };
      const onReadable = () => {
        const chunk: Buffer | null = socket.read();
        if (chunk !== null) settle(undefined, chunk);
      };
      const onEnd = () => settle(clientHungUp());
      socket.on('readable', onReadable);
      socket.on('end', onEnd);
      socket.on('close', onEnd);
      if (socket.readableEnded || socket.destroyed) onEnd();
    });
  }
}
