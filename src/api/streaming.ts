/**
 * Answers that are sent piece by piece. Once the first byte is out the status is spent, so each kind of stream
 * has one way to tell of a later failure: a last JSON line, or a broken connection.
 */
import { findEngineError, messageOf } from '../shared/errors.ts';
import { encodeErrorLine, encodeJsonLine } from '../wire/json-stream.ts';
import type { ApiContext, ApiDeps } from './context.ts';
import { logFailure, toErrorAnswer } from './error-handler.ts';

export interface StreamOptions {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What a failure in mid-stream looks like to the client. */
  readonly onFailure: 'error-line' | 'broken-connection';
}

/** Sends the headers at once and then every chunk as it comes, at the pace of the client. */
export function streamResponse(c: ApiContext, deps: ApiDeps, options: StreamOptions): Response {
  const iterator = options.chunks[Symbol.asyncIterator]();
  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, error: unknown) => {
    logFailure(deps.logger, `${c.req.method} ${c.req.path}`, error);
    if (options.onFailure === 'error-line') {
      const exitCode = findEngineError(error)?.details['exitCode'];
      const { message } = toErrorAnswer(error);
      controller.enqueue(
        encodeErrorLine(message, exitCode === undefined ? undefined : Number(exitCode)),
      );
      controller.close();
      return;
    }
    const outgoing = c.env?.outgoing;
    if (outgoing === undefined) return controller.error(error);
    // The adapter would print the error and end the answer cleanly: break the connection ourselves.
    outgoing.destroy();
    controller.close();
  };
  let hungUp = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next();
          if (hungUp) return;
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          if (!hungUp) fail(controller, error);
        }
      },
      async cancel() {
        hungUp = true;
        try {
          await iterator.return?.();
        } catch {
          // What the source says to being left early interests nobody any more.
        }
      },
    },
    { highWaterMark: 0 },
  );
  return c.body(body, 200, { 'Content-Type': options.contentType });
}

/** JSON lines (`pull`, `load`): a failure after the first line becomes the last one. */
export function streamJsonLines(
  c: ApiContext,
  deps: ApiDeps,
  messages: AsyncIterable<object>,
): Response {
  return streamResponse(c, deps, {
    contentType: 'application/json',
    chunks: mapAsync(messages, encodeJsonLine),
    onFailure: 'error-line',
  });
}

/** Headers now, one JSON document when the promise settles; a rejection gives `onRejected`'s document. */
export function deferredJson(
  c: ApiContext,
  deps: ApiDeps,
  answer: { readonly value: Promise<object>; readonly onRejected: (message: string) => object },
): Response {
  const settled = answer.value.catch((error: unknown) => {
    logFailure(deps.logger, `${c.req.method} ${c.req.path}`, error);
    return answer.onRejected(messageOf(error));
  });
  return streamResponse(c, deps, {
    contentType: 'application/json',
    chunks: oneLine(settled),
    onFailure: 'broken-connection',
  });
}

async function* oneLine(value: Promise<object>): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`${JSON.stringify(await value)}\n`);
}

/** Each item of `source` through `convert`; leaving it early leaves the source. */
export async function* mapAsync<In, Out>(
  source: AsyncIterable<In>,
  convert: (item: In) => Out,
): AsyncGenerator<Out> {
  for await (const item of source) yield convert(item);
}

/**
 * Waits for the first item, so that a failure before any output still gets its proper status. Gives back an
 * iterable of everything, the first item included.
 */
export async function startedStream<T>(source: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  return resumed(iterator, first);
}

async function* resumed<T>(
  iterator: AsyncIterator<T>,
  first: IteratorResult<T>,
): AsyncGenerator<T> {
  let ended = false;
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
    ended = true;
  } finally {
    if (!ended) await iterator.return?.();
  }
}
