/** Docker's streams of JSON lines (pull, load, build progress). One object a line, ended by CR LF. */

/** One line of progress. Field names are Docker's. */
export interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
  readonly aux?: unknown;
}

const encoder = new TextEncoder();

/** One line, ready to send. */
export function encodeJsonLine(message: object): Uint8Array {
  return encoder.encode(`${JSON.stringify(message)}\r\n`);
}

/** The line that tells a client that a stream failed after its first byte. */
export function encodeErrorLine(message: string): Uint8Array {
  return encodeJsonLine({ errorDetail: { message }, error: message });
}
