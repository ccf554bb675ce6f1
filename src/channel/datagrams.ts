/** Datagrams on a stream: each behind its length, two bytes in network order. Pure. */

const LENGTH_BYTES = 2;

/** The bytes that stand for a datagram of up to 65535 bytes. */
export function encodeDatagram(datagram: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + datagram.length);
  bytes.writeUInt16BE(datagram.length, 0);
  bytes.set(datagram, LENGTH_BYTES);
  return bytes;
}

/** Finds the datagrams in what comes in pieces of any size. */
export class DatagramDecoder {
  #held: Buffer = Buffer.alloc(0);

  /** The datagrams that `chunk` completes, in order. */
  push(chunk: Buffer): readonly Buffer[] {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const whole: Buffer[] = [];
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUInt16BE(0);
      if (rest.length < end) break;
      whole.push(rest.subarray(LENGTH_BYTES, end));
      rest = rest.subarray(end);
    }
    this.#held = rest;
    return whole;
  }
}
