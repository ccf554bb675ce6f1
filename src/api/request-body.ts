/** Reading request bodies by Docker's rules. */
import { parseJson } from '../wire/decode.ts';
import { bodyTooLarge, unsupportedContentType } from '../wire/wire-errors.ts';
import type { ApiContext } from './context.ts';

/** Far above any real create body, far below what would hurt. */
export const MAX_JSON_BYTES = 8 * 1024 * 1024;

/** The JSON body; `invalid-argument` when it is missing, malformed, or of another type. */
export async function readJson(c: ApiContext): Promise<unknown> {
  return parseJsonBody(await readText(c), c.req.header('content-type'));
}

/** Like `readJson` for bodies whose fields are all optional: undefined when there is none. */
export async function readOptionalJson(c: ApiContext): Promise<unknown> {
  const body = await readText(c);
  return body === '' ? undefined : parseJsonBody(body, c.req.header('content-type'));
}

/** Parses a body that was read already. An empty one is dockerd's "got EOF". */
export function parseJsonBody(body: string, contentType: string | undefined): unknown {
  if (body !== '') assertJson(contentType ?? '');
  return parseJson(body);
}

/** `invalid-argument` unless the media type, parameters aside, is JSON's. */
function assertJson(contentType: string): void {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') throw unsupportedContentType(contentType);
}

/** The body as text, at most `MAX_JSON_BYTES` of it. */
export async function readText(c: ApiContext): Promise<string> {
  const declared = c.req.header('content-length');
  if (declared !== undefined) {
    if (Number(declared) > MAX_JSON_BYTES) throw bodyTooLarge(MAX_JSON_BYTES);
    return c.req.text();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(c)) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw bodyTooLarge(MAX_JSON_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The body as it arrives. Leaving the loop early keeps the connection open, so that the reason can still be
 * answered.
 */
export async function* bodyChunks(c: ApiContext): AsyncGenerator<Uint8Array> {
  const incoming = c.env?.incoming;
  if (incoming !== undefined) {
    yield* incoming.iterator({ destroyOnReturn: false });
    return;
  }
  const { body } = c.req.raw;
  if (body !== null) yield* body as unknown as AsyncIterable<Uint8Array>;
}
