/** An HTTP proxy on loopback that forwards requests and opens tunnels, and keeps a list of both. */
import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export class StubProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Targets in order: `CONNECT host:port`, or `GET http://…`. */
  readonly seen: string[] = [];
  /** `user:password` that clients must know. */
  credentials: string | undefined;
  /** Where names lead. */
  rename = (host: string): string => host;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<StubProxy> {
    const server = createServer();
    const proxy = new StubProxy(server);
    server.on('connection', (socket) => proxy.#keep(socket));
    server.on('request', (request, response) => {
      proxy.seen.push(`${request.method} ${request.url}`);
      if (!proxy.#knows(request.headers['proxy-authorization'])) {
        response.writeHead(407).end();
        return;
      }
      const { method, headers } = request;
      const onward = httpRequest(
        new URL(proxy.rename(request.url ?? '')),
        { method, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(onward);
    });
    server.on('connect', (request, client: Socket) => {
      proxy.seen.push(`CONNECT ${request.url}`);
      if (!proxy.#knows(request.headers['proxy-authorization'])) {
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        return;
      }
      const { hostname, port } = new URL(`http://${request.url}`);
      const onward = connect({ host: hostname, port: Number(port) }, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(client).pipe(onward);
      });
      proxy.#keep(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const user = this.credentials === undefined ? '' : `${this.credentials}@`;
    return `http://${user}127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #knows(header: string | undefined): boolean {
    if (this.credentials === undefined) return true;
    return header === `Basic ${Buffer.from(this.credentials).toString('base64')}`;
  }
}
