/** Methods of gRPC services, described once for the side that serves and the side that calls. */
import type { EncodableOf, MessageOf, MessageType } from '../proto/message.ts';

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

/** One method: answers of one message are lists of one. */
export interface ServedMethod {
  answer(request: Uint8Array, call: CallInfo): AsyncIterable<Uint8Array>;
}

/** Methods by path, `/package.Service/Method`. */
export type ServedMethods = ReadonlyMap<string, ServedMethod>;

/** A method that answers with one message. */
export function unary<Q extends AnyMessage, A extends AnyMessage>(
  types: { readonly request: Q; readonly response: A },
  handler: (request: MessageOf<Q>, call: CallInfo) => Promise<EncodableOf<A>> | EncodableOf<A>,
): ServedMethod {
  return {
    async *answer(raw, call) {
      yield types.response.encode(await handler(types.request.decode(raw), call));
    },
  };
}

/** A method that answers with a stream of messages. */
export function serverStream<Q extends AnyMessage, A extends AnyMessage>(
  types: { readonly request: Q; readonly response: A },
  handler: (request: MessageOf<Q>, call: CallInfo) => AsyncIterable<EncodableOf<A>>,
): ServedMethod {
  return {
    async *answer(raw, call) {
      for await (const one of handler(types.request.decode(raw), call)) {
        yield types.response.encode(one);
      }
    },
  };
}
