/** `docker import URL`: the archive of files comes from the web. */
import type { ImportRequest } from '../../api/image-backend.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidImportSource } from './image-errors.ts';
import { importImage } from './import-image.ts';
import { ProgressChannel } from './progress-channel.ts';

/**
 * What Docker says of it, the new image's id last; stops when the reader leaves or the signal aborts. `invalid-argument`
 * at once for what is no URL; what the server says against it comes before the first line.
 */
export function importFromUrl(
  deps: ImageDeps,
  request: ImportRequest & { readonly source: string },
  signal: AbortSignal,
): AsyncIterable<ProgressMessage> {
  const url = toUrl(request.source);
  const left = new AbortController();
  const channel = new ProgressChannel(deps.clock.now, () => left.abort());
  const run = async () => {
    const { sizeBytes, bytes } = await deps.downloads.open(
      url,
      AbortSignal.any([signal, left.signal]),
    );
    channel.send({ status: `Downloading from ${url.href}` });
    const counted = counting(bytes, (current) =>
      channel.sendCount('', 'Importing', { current, total: sizeBytes ?? 0 }),
    );
    const message = request.message || `Imported from ${request.source}`;
    const id = await importImage(deps, { ...request, message }, counted);
    channel.send({ status: id });
  };
  run().then(
    () => channel.close(),
    (error: unknown) => channel.fail(error),
  );
  return channel;
}

/** A source without a scheme means HTTP, as for Docker. */
function toUrl(source: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : `http://${source}`;
  if (!URL.canParse(text)) throw invalidImportSource(source, 'it is not a URL');
  const url = new URL(text);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw invalidImportSource(source, `unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  tell: (current: number) => void,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of source) {
    current += chunk.length;
    tell(current);
    yield chunk;
  }
}
