/** Routes of images in archives: load, save, import. */
import { formatPlatform } from '../../oci/platform.ts';
import { decodePlatform } from '../../wire/platform.ts';
import { missingParameter } from '../../wire/wire-errors.ts';
import {
  type ApiContext,
  type ApiDeps,
  type Handler,
  pathParam,
  queryFlag,
  queryText,
} from '../context.ts';
import { bodyChunks } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';
import { startedStream, streamJsonLines, streamResponse } from '../streaming.ts';

/** Since API 1.46, a platform as JSON (`{"os":…,"architecture":…}`). */
export function jsonPlatform(c: ApiContext): string | undefined {
  const text = queryText(c, 'platform');
  return text === undefined ? undefined : formatPlatform(decodePlatform(text));
}

/** Since API 1.50, several of them. */
export function jsonPlatforms(c: ApiContext): readonly string[] {
  const texts = (c.req.queries('platforms') ?? []).filter((text) => text !== '');
  return texts.map((text) => formatPlatform(decodePlatform(text)));
}

const load: Handler = async (c, deps) => {
  const progress = deps.backends.images.load(
    bodyChunks(c),
    { quiet: queryFlag(c, 'quiet'), platform: jsonPlatform(c) },
    c.req.raw.signal,
  );
  // As dockerd does: once the archive is asked for, whatever is wrong with it is said in the stream.
  return streamJsonLines(c, deps, progress);
};

async function save(c: ApiContext, deps: ApiDeps, names: readonly string[]): Promise<Response> {
  const request = { names, platform: jsonPlatform(c) };
  const tar = await deps.backends.images.save(request, c.req.raw.signal);
  return streamResponse(c, deps, {
    contentType: 'application/x-tar',
    chunks: await startedStream(tar),
    onFailure: 'broken-connection',
  });
}

const saveOne: Handler = (c, deps) => save(c, deps, [pathParam(c, 'name')]);

const saveSeveral: Handler = (c, deps) => {
  const names = (c.req.queries('names') ?? []).flatMap((part) => part.split(','));
  const given = names.filter((name) => name !== '');
  if (given.length === 0) throw missingParameter('names');
  return save(c, deps, given);
};

/** `POST /images/create` with `fromSrc`: the body (`-`) or a URL. */
export async function importFrom(c: ApiContext, deps: ApiDeps, source: string): Promise<Response> {
  const repository = queryText(c, 'repo');
  const request = {
    target: repository === undefined ? undefined : { repository, tag: queryText(c, 'tag') },
    message: c.req.query('message') ?? '',
    changes: c.req.queries('changes') ?? [],
    platform: queryText(c, 'platform'),
  };
  const { images } = deps.backends;
  if (source !== '-') {
    const progress = images.importFrom(source, request, c.req.raw.signal);
    return streamJsonLines(c, deps, await startedStream(progress));
  }
  const id = await images.import(request, bodyChunks(c));
  return streamJsonLines(c, deps, one({ status: id }));
}

async function* one(message: object): AsyncGenerator<object> {
  yield message;
}

export const imageArchiveHandlers: Handlers = {
  'POST /images/load': answer(load),
  'GET /images/get': answer(saveSeveral),
  'GET /images/{name}/get': answer(saveOne),
};
