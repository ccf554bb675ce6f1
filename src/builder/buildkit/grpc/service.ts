/** Methods of gRPC services, described once for the side that serves and the side that calls. */

import type { EncodableOf, MessageOf, MessageType } from '../proto/message.ts';
import { truncatedMessage } from './grpc-errors.ts';

/** Headers of a call, by lower-case name. */
export type Metadata = ReadonlyMap<string, readonly string[]>;

/** What a method is told besides its message. */
export interface CallInfo {
  readonly metadata: Metadata;
  /** Aborts when the caller gives up or is gone. */
  readonly signal: AbortSignal;
}

// Methods of any messages are held in one table; the codecs check what passes.
// biome-ignore lint/suspicious/noExplicitAny: the type parameters are bound where a method is made
type AnyMessage = MessageType<any, any>;

/** One method: takes messages and answers with messages; for most methods both are streams of one. */
export interface ServedMethod {
  answer(requests: AsyncIterable<Uint8Array>, call: CallInfo): AsyncIterable<Uint8Array>;
}

/** Methods by path, `/package.Service/Method`. */
export type ServedMethods = ReadonlyMap<string, ServedMethod>;

/** The messages of a method. */
interface MethodTypes<Q, A> {
  readonly request: Q;
  readonly response: A;
}

/** A method that answers with one message. */
export function unary<Q extends AnyMessage, A extends AnyMessage>(
  types: MethodTypes<Q, A>,
  handler: (request: MessageOf<Q>, call: CallInfo) => Promise<EncodableOf<A>> | EncodableOf<A>,
): ServedMethod {
  return {
    async *answer(requests, call) {
      const request = types.request.decode(await first(requests));
      yield types.response.encode(await handler(request, call));
    },
  };
}

/** A method that answers with a stream of messages. */
export function serverStream<Q extends AnyMessage, A extends AnyMessage>(
  types: MethodTypes<Q, A>,
  handler: (request: MessageOf<Q>, call: CallInfo) => AsyncIterable<EncodableOf<A>>,
): ServedMethod {
  return {
    async *answer(requests, call) {
      const request = types.request.decode(await first(requests));
      for await (const one of handler(request, call)) yield types.response.encode(one);
    },
  };
}

/** A method with streams in both directions. */
export function bothWays<Q extends AnyMessage, A extends AnyMessage>(
  types: MethodTypes<Q, A>,
  handler: (requests: AsyncIterable<MessageOf<Q>>, call: CallInfo) => AsyncIterable<EncodableOf<A>>,
): ServedMethod {
  async function* decoded(requests: AsyncIterable<Uint8Array>) {
    for await (const raw of requests) yield types.request.decode(raw) as MessageOf<Q>;
  }
  return {
    async *answer(requests, call) {
      for await (const one of handler(decoded(requests), call)) yield types.response.encode(one);
    },
  };
}

async function first(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const one of messages) return one;
  throw truncatedMessage();
}
