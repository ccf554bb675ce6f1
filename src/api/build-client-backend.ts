/** What the routes need of the builder's door for BuildKit's clients. */
import type { Socket } from 'node:net';
import type { SessionBuildQuery } from '../wire/build-query.ts';
import type { ProgressMessage } from '../wire/json-stream.ts';

/** What a build client says of the connection on which it serves its own files and secrets. */
export interface SessionOffer {
  readonly id: string;
  /** Names the client's directories from one build to the next; empty for none. */
  readonly sharedKey: string;
  /** gRPC methods that the client serves, `/package.Service/Method`. */
  readonly methods: readonly string[];
}

/** Connections of BuildKit's clients, upgraded to HTTP/2 and from then on served by the builder. */
export interface BuildClientBackend {
  /** Calls of the client, until its connection ends. Never rejects. */
  serveCalls(socket: Socket): Promise<void>;
  /** The builder calls the client, until its connection ends. Never rejects. */
  serveSession(socket: Socket, offer: SessionOffer): Promise<void>;
  readonly ordered: OrderedBuildBackend;
}

/** A build as it is ordered. */
export interface BuildOrder {
  /** Empty when the client has none: it has nothing to be asked for then. */
  readonly session: string;
  query(): SessionBuildQuery;
  /** The context, as an archive, where the query names no other place of it. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Builds over a session that are ordered and watched by plain requests, `POST /build?version=2`. */
export interface OrderedBuildBackend {
  /**
   * Builds while the lines are read, until `signal` aborts. `query` is asked for once the session is there: these
   * clients do not end when they are refused earlier.
   */
  build(order: BuildOrder, signal: AbortSignal): AsyncIterable<ProgressMessage>;
  /** Brings the archive for the build of that id. Resolves when it is of no more use. */
  upload(id: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Stops that build, if there is one. */
  cancel(id: string): void;
}
