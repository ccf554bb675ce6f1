/** The API's sockets on the host: connections go to the engine in the guest, or get a 503 while there is none. */
import { existsSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { EngineError, messageOf } from '../../shared/errors.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import type { ApiAddress } from '../api-address.ts';
import { apiAddressInUse, badApiAddress } from '../host-errors.ts';
import { isServed } from '../listener-registry.ts';

export interface ApiFrontOptions {
  /** A connection to the engine; throws when there is none now, with the reason for the client. */
  readonly open: () => Duplex;
}

export class ApiFront {
  readonly #options: ApiFrontOptions;
  readonly #servers: Server[] = [];
  readonly #clients = new Set<Socket>();
  readonly #files: string[] = [];

  constructor(options: ApiFrontOptions) {
    this.#options = options;
  }

  /** Binds an address. `conflict` when somebody listens there, `invalid-argument` for a kind that this cannot do. */
  async listen(address: ApiAddress): Promise<void> {
    if (address.scheme === 'fd') throw badApiAddress(address.text, 'not with a virtual machine');
    const server = createServer({ allowHalfOpen: true }, (client) => this.#serve(client));
    if (address.scheme === 'unix') await makeRoom(address.path, address.text);
    const place =
      address.scheme === 'unix'
        ? { path: address.path }
        : { host: address.hostIp, port: address.port };
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(errnoCode(error) === 'EADDRINUSE' ? apiAddressInUse(address.text) : error);
      });
      server.listen(place, resolve);
    });
    this.#servers.push(server);
    if (address.scheme !== 'unix') return;
    this.#files.push(address.path);
    await chmod(address.path, 0o600);
  }

  /** Stops listening and cuts all clients. */
  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const client of this.#clients) client.destroy();
    for (const path of this.#files) await rm(path, { force: true });
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    client.once('close', () => this.#clients.delete(client));
    client.on('error', () => undefined);
    try {
      join(client, this.#options.open());
    } catch (error) {
      refuse(client, error);
    }
  }
}

/** Each direction ends by itself, as attached containers need it. */
function join(client: Socket, engine: Duplex): void {
  engine.on('error', (error) => refuse(client, error));
  client.once('close', () => engine.destroy());
  client.pipe(engine);
  engine.pipe(client);
}

/** Only a client that has heard nothing yet can be told; for others a broken connection is the truth. */
function refuse(client: Socket, error: unknown): void {
  if (client.destroyed) return;
  if (client.bytesWritten > 0) {
    client.destroy();
    return;
  }
  const kind = error instanceof EngineError ? error.message : `the engine: ${messageOf(error)}`;
  const body = JSON.stringify({ message: kind });
  const head = [
    'HTTP/1.1 503 Service Unavailable',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  client.resume();
  client.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** A socket file of a dead host is removed, a living one is somebody else's. */
async function makeRoom(path: string, text: string): Promise<void> {
  if (existsSync(path) && (await isServed(path))) throw apiAddressInUse(text);
  await rm(path, { force: true });
}
