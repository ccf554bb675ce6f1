/** The API in front of the fake engine: in process, or on a unix socket of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/api/app.ts';
import { createApiServer } from '../../src/api/server.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { type FakeBackends, fakeBackends } from './fake-backends.ts';

const FACTS = { serverVersion: '28.5.2', storageDriver: 'overlay' };

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  json(): unknown;
}

/** The application in process. */
export function apiInProcess(): {
  backends: FakeBackends;
  call(request: string, body?: object): Promise<ApiAnswer>;
} {
  const backends = fakeBackends();
  const app = createApp({ backends, facts: FACTS, clock: systemClock, logger: silentLogger });
  return {
    backends,
    async call(request, body) {
      const [method = 'GET', path = '/'] = request.split(' ');
      const response = await app.request(path, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      const { status, headers } = response;
      return { status, headers, text, json: () => JSON.parse(text) as unknown };
    },
  };
}

export interface ApiOnSocket extends AsyncDisposable {
  readonly backends: FakeBackends;
  readonly socketPath: string;
}

/** The API on a unix socket; gone with its scope. */
export async function apiOnSocket(): Promise<ApiOnSocket> {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-api-'));
  const socketPath = join(dir, 'api.sock');
  const backends = fakeBackends();
  const server = createApiServer({ backends, facts: FACTS, logger: silentLogger });
  await server.listen({ path: socketPath });
  return {
    backends,
    socketPath,
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await rm(dir, { recursive: true });
    },
  };
}

/** A client that speaks bytes. */
export class RawClient {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(socketPath: string) {
    this.socket = connect({ path: socketPath, allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const closed = () => {
      this.#closed = true;
      this.#wake();
    };
    this.socket.on('end', closed);
    this.socket.on('close', closed);
    this.socket.on('error', closed);
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.join('\r\n'));
  }

  /** Everything received, as soon as it holds `text`. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (this.#closed) throw new Error(`closed after ${this.#received.toString('latin1')}`);
      await this.#more();
    }
    return this.#received.toString('latin1');
  }

  /** Everything received, once the server has ended the connection. */
  async toEnd(): Promise<Buffer> {
    while (!this.#closed) await this.#more();
    this.socket.destroy();
    return this.#received;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
