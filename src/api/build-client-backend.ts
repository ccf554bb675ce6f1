/** What the routes need of the builder's door for BuildKit's clients. */
import type { Socket } from 'node:net';

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
}
