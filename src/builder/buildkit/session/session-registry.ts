/** Sessions: connections over which build clients serve their files, secrets and credentials. */
import type { Duplex } from 'node:stream';
import {
  type CalledMethod,
  type CallOptions,
  GrpcClient,
  type OpenCall,
} from '../grpc/grpc-client.ts';
import { connectionLost } from '../grpc/grpc-errors.ts';
import type { EncodableOf, MessageOf, MessageType } from '../proto/message.ts';
import { noSession, sessionLacks } from './session-errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: bound by the method that is called
type AnyMessage = MessageType<any, any>;

/** What the client says when it opens a session. */
export interface SessionOffer {
  readonly id: string;
  /** Names the client's directories from one build to the next; empty for none. */
  readonly sharedKey: string;
  readonly methods: readonly string[];
}

/** A client's session while it is there. */
export class Session {
  readonly offer: SessionOffer;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  readonly #client: GrpcClient | undefined;

  /** Without a client it serves nothing. */
  constructor(offer: SessionOffer, client: GrpcClient | undefined, gone: AbortSignal) {
    this.offer = offer;
    this.#client = client;
    this.gone = gone;
  }

  /** True when the client serves that method; names differ in case between versions of clients. */
  serves(path: string): boolean {
    return this.offer.methods.some((method) => method.toLowerCase() === path.toLowerCase());
  }

  /** Ends the connection to the client. Idempotent. */
  close(): void {
    this.#client?.destroy();
  }

  /** One message there, one back. `not-implemented` when the client does not serve the method. */
  call<Q extends AnyMessage, A extends AnyMessage>(
    method: CalledMethod<Q, A>,
    request: EncodableOf<Q>,
    options: CallOptions,
  ): Promise<MessageOf<A>> {
    if (this.#client === undefined || !this.serves(method.path)) throw sessionLacks(method.path);
    return this.#client.call(method, request, options);
  }

  /** Streams in both directions; see `GrpcClient.open`. */
  open<Q extends AnyMessage, A extends AnyMessage>(
    method: CalledMethod<Q, A>,
    options: CallOptions,
  ): OpenCall<EncodableOf<Q>, MessageOf<A>> {
    if (this.#client === undefined || !this.serves(method.path)) throw sessionLacks(method.path);
    return this.#client.open(method, options);
  }
}

const NO_SESSION = new Session(
  { id: '', sharedKey: '', methods: [] },
  undefined,
  new AbortController().signal,
);

/**
 * How long a build waits for the session that it names. Both connections are opened at the same time, and on a busy machine
 * the second comes late; a client that is gone ends the wait itself.
 */
const ARRIVAL_MS = 30_000;

export class SessionRegistry {
  readonly #sessions = new Map<string, Session>();
  readonly #waiting = new Map<string, Set<(session: Session) => void>>();

  /** Takes a session in and keeps it until its connection ends. Never rejects. */
  async serve(connection: Duplex, offer: SessionOffer): Promise<void> {
    const gone = new AbortController();
    const client = new GrpcClient(connection);
    const session = new Session(offer, client, gone.signal);
    this.#sessions.set(offer.id, session);
    for (const tell of this.#waiting.get(offer.id) ?? []) tell(session);
    this.#waiting.delete(offer.id);
    await client.closed();
    if (this.#sessions.get(offer.id) === session) this.#sessions.delete(offer.id);
    gone.abort(connectionLost());
  }

  /**
   * The session of that id, also one that is about to come; for an empty id one that serves nothing. Rejects when it
   * does not come, or when `signal` aborts.
   */
  get(id: string, signal: AbortSignal): Promise<Session> {
    const session = id === '' ? NO_SESSION : this.#sessions.get(id);
    if (session !== undefined) return Promise.resolve(session);
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      const forget = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        waiting.delete(arrive);
        if (waiting.size === 0) this.#waiting.delete(id);
      };
      const arrive = (arrived: Session) => {
        forget();
        resolve(arrived);
      };
      const giveUp = () => {
        forget();
        reject(signal.reason ?? noSession(id));
      };
      const timer = setTimeout(() => {
        forget();
        reject(noSession(id));
      }, ARRIVAL_MS);
      waiting.add(arrive);
      this.#waiting.set(id, waiting);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
