/** Plain HTTP over a unix socket, without the docker client in between. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What is sent with a request. */
export interface RequestOptions {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const TIMEOUT_MS = 30_000;

/** Sends one request and reads the whole answer. Rejects when nothing listens or nothing comes. */
export function requestOverSocket(
  socketPath: string,
  path: string,
  { method = 'GET', headers = {}, body }: RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method, headers, timeout: TIMEOUT_MS });
    call.on('response', (response) => {
      const status = response.statusCode ?? 0;
      text(response).then((answer) => resolve({ status, body: answer }), reject);
    });
    call.on('timeout', () => call.destroy(new Error(`${path}: no answer within ${TIMEOUT_MS} ms`)));
    call.on('error', reject);
    call.end(body);
  });
}

/** `GET path`. */
export function getOverSocket(socketPath: string, path: string): Promise<Answer> {
  return requestOverSocket(socketPath, path);
}
