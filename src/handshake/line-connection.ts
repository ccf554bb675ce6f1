/** One connection that carries newline-delimited JSON, over whatever duplex stream it is given. */
import type { Duplex } from 'node:stream';
import { encodeLine, LineDecoder } from './line-codec.ts';

/** Who is told what arrives. Called in order; never after `onClosed`. */
export interface LineHandlers {
  /** A value arrived. What it throws ends the connection with that error. */
  readonly onValue: (value: unknown) => void;
  /** The connection is over, with the reason when it was not an orderly end. Called exactly once. */
  readonly onClosed: (error?: unknown) => void;
}

/** Sends and receives values. The stream is owned: it is destroyed with the connection. */
export class LineConnection {
  readonly #stream: Duplex;
  readonly #decoder = new LineDecoder();
  readonly #handlers: LineHandlers;
  #open = true;

  constructor(stream: Duplex, handlers: LineHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', (error) => this.close(error));
    stream.on('end', () => this.close());
    stream.on('close', () => this.close());
  }

  /** Queues a value; silently dropped when the connection is already over, because `onClosed` has told. */
  send(value: unknown): void {
    if (this.#open) this.#stream.write(encodeLine(value));
  }

  /** Ends the connection. What was sent before is still delivered when there is no error. Idempotent. */
  close(error?: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    if (error === undefined) this.#stream.end(() => this.#stream.destroy());
    else this.#stream.destroy();
    this.#handlers.onClosed(error);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const value of this.#decoder.push(chunk)) {
        if (this.#open) this.#handlers.onValue(value);
      }
    } catch (error) {
      this.close(error);
    }
  }
}
