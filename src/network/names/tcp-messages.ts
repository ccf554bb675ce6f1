/** DNS messages on a TCP stream: two bytes of length, then the message (RFC 1035, section 4.2.2). Pure. */

const LENGTH_BYTES = 2;

/** A message with its length in front. */
export function frameMessage(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts a stream into messages. */
export class MessageReader {
  readonly #onMessage: (message: Buffer) => void;
  #rest = Buffer.alloc(0);

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Takes the next piece of the stream and reports every message that it completes. */
  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#rest.readUInt16BE(0);
      if (this.#rest.length < end) return;
      this.#onMessage(this.#rest.subarray(LENGTH_BYTES, end));
      this.#rest = this.#rest.subarray(end);
    }
  }
}
