/** A registry on loopback that can be told to misbehave. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { OciImage } from './oci-image.ts';
import { StubAccess } from './stub-access.ts';
import { StubUploads } from './stub-uploads.ts';

/** An answer instead of the right one. */
export type Misbehaviour =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** Sends half of the body, then ends the connection as if that were all (chunked), or breaks it. */
  | { readonly kind: 'truncate' | 'reset' }
  | { readonly kind: 'corrupt' }
  /** Breaks the connection without a word. */
  | { readonly kind: 'break' };

interface Planned {
  readonly path: RegExp;
  readonly behaviour: Misbehaviour;
  times: number;
}

export class StubRegistry implements AsyncDisposable {
  readonly #server: Server;
  readonly #manifests = new Map<string, { mediaType: string; bytes: Buffer }>();
  readonly #blobs = new Map<string, Buffer>();
  readonly #planned: Planned[] = [];
  readonly uploads = new StubUploads({
    hasBlob: (digest) => this.#blobs.has(digest),
    putBlob: (bytes) => this.#blobs.set(digestOf(bytes), bytes),
  });
  /** Paths asked for, in order, with the `Range` header when there was one. */
  readonly requests: string[] = [];
  readonly access = new StubAccess();
  supportsRanges = true;
  /** When set, blobs are answered with a redirect to this base URL. */
  blobRedirect: string | undefined;
  /** Further headers of manifests. */
  manifestHeaders: Readonly<Record<string, string>> = {};
  /** What a search finds; without it there is no index. */
  searchResults: readonly object[] | undefined;
  /** `Authorization` headers of blob requests. */
  readonly blobAuthorizations: (string | undefined)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<StubRegistry> {
    const server = createServer();
    const stub = new StubRegistry(server);
    server.on('request', (request, response) => stub.#handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Stores the image under a tag. */
  add(repository: string, tag: string, image: OciImage): void {
    this.addManifest(repository, tag, { mediaType: OCI_MANIFEST, bytes: image.manifestBytes });
    for (const [digest, bytes] of image.blobs) this.#blobs.set(digest, bytes);
  }

  addManifest(
    repository: string,
    tag: string,
    manifest: { mediaType: string; bytes: Buffer },
  ): Digest {
    const digest = digestOf(manifest.bytes);
    this.#manifests.set(`${repository}/${tag}`, manifest);
    this.#manifests.set(`${repository}/${digest}`, manifest);
    return digest;
  }

  /** The next `times` requests whose path matches are answered in this way. */
  misbehave(path: RegExp, behaviour: Misbehaviour, times = 1): void {
    this.#planned.push({ path, behaviour, times });
  }

  /** From now on all answers are right. */
  behave(): void {
    this.#planned.length = 0;
  }

  /** How often a path was asked for. */
  count(path: RegExp): number {
    return this.requests.filter((request) => path.test(request)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', `http://${this.host}`);
    const range = request.headers.range === undefined ? '' : ` ${request.headers.range}`;
    const verb = request.method === 'GET' ? '' : `${request.method} `;
    this.requests.push(`${verb}${url.pathname}${range}`);
    if (this.#breaks(url.pathname)) {
      request.socket.destroy();
      return;
    }
    if (url.pathname === '/token') {
      this.access.answerToken(request, url, response).catch(() => response.destroy());
      return;
    }
    if (!this.access.allows(request)) {
      this.access.challenge(response, this.host);
      return;
    }
    if (url.pathname.includes('/blobs/')) {
      this.blobAuthorizations.push(request.headers.authorization);
      if (this.blobRedirect !== undefined) {
        response.writeHead(307, { location: `${this.blobRedirect}${url.pathname}` }).end();
        return;
      }
    }
    this.#answer(request, url.pathname, response);
  }

  #breaks(path: string): boolean {
    const isDue = (plan: Planned) =>
      plan.behaviour.kind === 'break' && plan.times > 0 && plan.path.test(path);
    const planned = this.#planned.find(isDue);
    if (planned === undefined) return false;
    planned.times--;
    return true;
  }

  #answer(request: IncomingMessage, path: string, response: ServerResponse): void {
    const planned = this.#planned.find((plan) => plan.times > 0 && plan.path.test(path));
    if (planned !== undefined) planned.times--;
    const behaviour = planned?.behaviour;
    if (behaviour?.kind === 'status') {
      response.writeHead(behaviour.status, behaviour.headers).end();
      return;
    }
    if (path.includes('/blobs/uploads/')) {
      const breakAfter = behaviour === undefined ? undefined : halfOf(request);
      this.uploads.handle(request, response, breakAfter).catch(() => response.destroy());
      return;
    }
    if (request.method === 'PUT') {
      this.#putManifest(request, path, response).catch(() => response.destroy());
      return;
    }
    const found = this.#find(path);
    if (found === undefined) {
      const code = path.includes('/manifests/') ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN';
      const message = code.toLowerCase().replace('_', ' ');
      response.writeHead(path === '/v2/' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code, message }] }));
      return;
    }
    this.#send(request, response, { ...found, behaviour });
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    answer: { mediaType: string; bytes: Buffer; behaviour: Misbehaviour | undefined },
  ): void {
    const { mediaType, bytes, behaviour } = answer;
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const isRange = start > 0 && this.supportsRanges;
    const body = isRange ? bytes.subarray(start) : bytes;
    const isManifest = request.url?.includes('/manifests/') === true;
    const more = isManifest ? this.manifestHeaders : {};
    const headers: Record<string, string> = { 'content-type': mediaType, ...more };
    if (isRange) headers['content-range'] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    const half = body.subarray(0, Math.floor(body.length / 2));
    if (behaviour?.kind === 'truncate') {
      response.writeHead(isRange ? 206 : 200, headers).end(half);
      return;
    }
    headers['content-length'] = String(body.length);
    response.writeHead(isRange ? 206 : 200, headers);
    if (behaviour?.kind === 'reset') {
      response.write(half, () => response.destroy());
      return;
    }
    response.end(behaviour?.kind === 'corrupt' ? Buffer.alloc(body.length, 7) : body);
  }

  async #putManifest(
    request: IncomingMessage,
    path: string,
    response: ServerResponse,
  ): Promise<void> {
    const [, repository = '', tag = ''] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(path) ?? [];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const mediaType = request.headers['content-type'] ?? '';
    this.addManifest(repository, tag, { mediaType, bytes: Buffer.concat(chunks) });
    response.writeHead(201).end();
  }

  #find(path: string): { mediaType: string; bytes: Buffer } | undefined {
    if (path === '/v1/search' && this.searchResults !== undefined) {
      const body = JSON.stringify({ results: this.searchResults });
      return { mediaType: 'application/json', bytes: Buffer.from(body) };
    }
    const listed = /^\/v2\/(.+)\/tags\/list$/.exec(path)?.[1];
    if (listed !== undefined) return this.#tagList(listed);
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
    const [, repository = '', kind, name = ''] = match ?? [];
    if (kind === 'manifests') return this.#manifests.get(`${repository}/${name}`);
    const bytes = this.#blobs.get(name);
    return bytes === undefined ? undefined : { mediaType: 'application/octet-stream', bytes };
  }

  #tagList(repository: string): { mediaType: string; bytes: Buffer } {
    const names = [...this.#manifests.keys()].filter((name) => name.startsWith(`${repository}/`));
    const tags = names.map((name) => name.slice(repository.length + 1));
    const body = { name: repository, tags: tags.filter((tag) => !tag.includes(':')) };
    return { mediaType: 'application/json', bytes: Buffer.from(JSON.stringify(body)) };
  }
}

function halfOf(request: IncomingMessage): number {
  return Math.floor(Number(request.headers['content-length'] ?? 0) / 2);
}
