/**
 * A SOCKS server (RFC 1928) on the engine's loopback, for programs that cannot be given a connection. Its clients show
 * that they are meant by a password (RFC 1929), for others share that loopback.
 */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIP, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { randomId } from '../../shared/ids.ts';
import type { HostDialer } from '../host-dialer.ts';
import type { HostProxy } from '../host-proxy.ts';

const VERSION = 5;
const BY_PASSWORD = 2;
const CONNECT = 1;
const ADDRESS = { ipv4: 1, name: 3, ipv6: 4 } as const;
const REPLY = { done: 0, unreachable: 4, notSupported: 7 } as const;
const USER = 'wherry';

export class SocksServer implements HostProxy {
  readonly #server: Server;
  readonly #password: string;
  readonly #clients = new Set<Socket>();

  private constructor(server: Server, password: string) {
    this.#server = server;
    this.#password = password;
  }

  static async open(dialer: Pick<HostDialer, 'connect'>): Promise<SocksServer> {
    const server = createServer({ allowHalfOpen: true });
    const socks = new SocksServer(server, randomId());
    server.on('connection', (client) => void socks.#serve(client, dialer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return socks;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `socks5h://${USER}:${this.#password}@127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const client of this.#clients) client.destroy();
    await closed;
  }

  /** A client that breaks off, or speaks otherwise, only loses its own connection. */
  async #serve(client: Socket, dialer: Pick<HostDialer, 'connect'>): Promise<void> {
    this.#clients.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => this.#clients.delete(client));
    try {
      if (!(await this.#admit(client))) return void client.end();
      const target = await readTarget(client);
      if (target === undefined) return void client.end(reply(REPLY.notSupported));
      const remote = await dialer.connect(target).catch(() => undefined);
      if (remote === undefined) return void client.end(reply(REPLY.unreachable));
      client.write(reply(REPLY.done));
      await Promise.all([pipeline(client, remote), pipeline(remote, client)]);
    } catch {
      client.destroy();
    }
  }

  async #admit(client: Socket): Promise<boolean> {
    const [version, count = 0] = await read(client, 2);
    const methods = await read(client, count);
    if (version !== VERSION || !methods.includes(BY_PASSWORD)) {
      client.write(Buffer.from([VERSION, 0xff]));
      return false;
    }
    client.write(Buffer.from([VERSION, BY_PASSWORD]));
    const [, userLength = 0] = await read(client, 2);
    await read(client, userLength);
    const [length = 0] = await read(client, 1);
    const given = await read(client, length);
    const wanted = Buffer.from(this.#password);
    const isRight = given.length === wanted.length && timingSafeEqual(given, wanted);
    client.write(Buffer.from([1, isRight ? 0 : 1]));
    return isRight;
  }
}

/** Undefined for anything but a connection. */
async function readTarget(client: Socket) {
  const [, command, , type] = await read(client, 4);
  const host = await readHost(client, type);
  const port = (await read(client, 2)).readUInt16BE();
  return command === CONNECT && host !== undefined ? { host, port } : undefined;
}

async function readHost(client: Socket, type: number | undefined): Promise<string | undefined> {
  switch (type) {
    case ADDRESS.ipv4:
      return [...(await read(client, 4))].join('.');
    case ADDRESS.ipv6: {
      const groups = (await read(client, 16)).toString('hex').match(/.{4}/g) ?? [];
      return groups.join(':');
    }
    case ADDRESS.name: {
      const [length = 0] = await read(client, 1);
      const name = (await read(client, length)).toString('utf8');
      return name.startsWith('[') && isIP(name.slice(1, -1)) === 6 ? name.slice(1, -1) : name;
    }
    default:
      return undefined;
  }
}

/** The bound address tells nothing: it is left empty. */
function reply(code: number): Buffer {
  return Buffer.from([VERSION, code, 0, ADDRESS.ipv4, 0, 0, 0, 0, 0, 0]);
}

/** Exactly `length` bytes; rejects when the client ends before. */
async function read(client: Socket, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  for (;;) {
    const chunk = client.read(length) as Buffer | null;
    if (chunk !== null && chunk.length === length) return chunk;
    if (chunk !== null || client.readableEnded || client.destroyed) throw new Error('cut short');
    await Promise.race([once(client, 'readable'), once(client, 'close')]);
  }
}
