/** Newline-delimited JSON. Pure: bytes in, values out. */
import { badMessage } from './handshake-errors.ts';

/** Longest line either side accepts, in bytes; facts with long lists stay far below it. */
export const MAX_LINE_BYTES = 1 << 20;

const NEWLINE = 0x0a;

/** One value as a line. JSON escapes newlines, so the terminator is unambiguous. */
export function encodeLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Cuts a byte stream into parsed lines, whatever the chunk borders are. */
export class LineDecoder {
  #parts: Buffer[] = [];
  #size = 0;

  /** The values completed by `chunk`. `corrupt` for a line that is too long or not JSON; then the stream is unusable. */
  push(chunk: Uint8Array): readonly unknown[] {
    const values: unknown[] = [];
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      this.#keep(rest.subarray(0, end));
      values.push(this.#take());
      rest = rest.subarray(end + 1);
    }
    this.#keep(rest);
    return values;
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > MAX_LINE_BYTES)
      throw badMessage(`a line is longer than ${MAX_LINE_BYTES} bytes`);
    if (part.length > 0) this.#parts.push(part);
  }

  #take(): unknown {
    const line = Buffer.concat(this.#parts).toString('utf8');
    this.#parts = [];
    this.#size = 0;
    try {
      return JSON.parse(line);
    } catch (error) {
      throw badMessage(`not JSON: ${String(error)}`);
    }
  }
}
