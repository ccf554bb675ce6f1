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

/** The line that tells a client that a stream failed after its first byte; with the exit code of what failed, if it was a command. */
export function encodeErrorLine(message: string, exitCode?: number): Uint8Array {
  const code = exitCode === undefined ? {} : { code: exitCode };
  return encodeJsonLine({ errorDetail: { ...code, message }, error: message });
}
