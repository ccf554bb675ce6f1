/** What passes between the hijack door and the handlers of attach and exec start. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { ApiVersion } from '../wire/api-version.ts';
import type { AttachSession } from './backends.ts';
import type { ApiDeps } from './context.ts';

/** A request whose connection is to become a raw stream. Its body has been read, exactly. */
export interface TakeoverRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly version: ApiVersion;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
}

/** How the door goes on. */
export type Takeover =
  /** No stream after all: an empty answer with this status. */
  | { readonly kind: 'empty'; readonly status: 200 }
  /** The connection speaks HTTP/2 from here on. */
  | { readonly kind: 'h2c'; serve(socket: Socket): Promise<void> }
  | {
      readonly kind: 'stream';
      readonly tty: boolean;
      /** Whether the engine's usual headers go with the answer; attach sends only its own. */
      readonly standardHeaders: boolean;
      /** Called once the answer's head is out; a rejection is shown in the stream. */
      open(): Promise<AttachSession>;
    };

/** Rejects while the request can still be answered with a status. */
export type TakeoverHandler = (request: TakeoverRequest, deps: ApiDeps) => Promise<Takeover>;
