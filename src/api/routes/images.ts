/** Routes of images. */
import { type ApiVersion, isAtLeast } from '../../wire/api-version.ts';
import { decodeFilters } from '../../wire/filters.ts';
import { decodeInteger } from '../../wire/query.ts';
import { decodeRegistryAuth, type RegistryCredentials } from '../../wire/registry-auth.ts';
import { missingParameter } from '../../wire/wire-errors.ts';
import { manifestsOfPlatform } from '../api-errors.ts';
import { type ApiContext, type Handler, pathParam, queryFlag, queryText } from '../context.ts';
import {
  toHistoryEntry,
  toImageInspect,
  toImageSummary,
  toRemoval,
  toSearchEntry,
} from '../mappers/image.ts';
import { answer, type Handlers } from '../route-table.ts';
import { streamJsonLines } from '../streaming.ts';
import { importFrom, jsonPlatform, jsonPlatforms } from './image-archives.ts';

/** Older clients do not know of manifests. */
function wantsManifests(c: ApiContext, since: ApiVersion): boolean {
  return isAtLeast(c.get('version'), since) && queryFlag(c, 'manifests');
}

const list: Handler = async (c, { backends }) => {
  const filters = new Map(decodeFilters(c.req.query('filters')));
  // Up to API 1.40 one reference could be asked for outside of `filters`.
  const reference = queryText(c, 'filter');
  if (reference !== undefined) filters.set('reference', [reference]);
  const views = await backends.images.list({
    all: queryFlag(c, 'all'),
    filters,
    sharedSize: queryFlag(c, 'shared-size'),
    manifests: wantsManifests(c, '1.47'),
  });
  return c.json(views.map((view) => toImageSummary(view, c.get('version'))));
};

/** A pull goes on without credentials when the header is unreadable, as dockerd's does. */
function pullCredentials(c: ApiContext): RegistryCredentials | undefined {
  try {
    return decodeRegistryAuth(c.req.header('x-registry-auth'));
  } catch {
    return undefined;
  }
}

const pull: Handler = async (c, deps) => {
  const source = queryText(c, 'fromSrc');
  if (source !== undefined) return importFrom(c, deps, source);
  const image = queryText(c, 'fromImage');
  if (image === undefined) throw missingParameter('fromImage');
  const progress = await deps.backends.images.pull(
    {
      image,
      tag: queryText(c, 'tag'),
      platform: queryText(c, 'platform'),
      credentials: pullCredentials(c),
    },
    c.req.raw.signal,
  );
  return streamJsonLines(c, deps, progress);
};

/** The header must be there and readable for a push: dockerd refuses it otherwise. */
const push: Handler = (c, deps) => {
  const progress = deps.backends.images.push(
    {
      image: pathParam(c, 'name'),
      tag: queryText(c, 'tag'),
      platform: jsonPlatform(c),
      credentials: decodeRegistryAuth(c.req.header('x-registry-auth')),
    },
    c.req.raw.signal,
  );
  return streamJsonLines(c, deps, progress);
};

const describeRemote: Handler = async (c, { backends }) => {
  const image = pathParam(c, 'name');
  const credentials = pullCredentials(c);
  const remote = await backends.images.describeRemote({ image, credentials }, c.req.raw.signal);
  return c.json({ Descriptor: remote.descriptor, Platforms: remote.platforms });
};

const search: Handler = async (c, { backends }) => {
  const term = queryText(c, 'term');
  if (term === undefined) throw missingParameter('term');
  const limit = decodeInteger('limit', queryText(c, 'limit')) ?? 0;
  const filters = decodeFilters(c.req.query('filters'));
  const found = await backends.images.search({ term, limit, filters }, c.req.raw.signal);
  return c.json(found.map(toSearchEntry));
};

const inspect: Handler = async (c, { backends, facts }) => {
  const manifests = wantsManifests(c, '1.48');
  const platform = isAtLeast(c.get('version'), '1.49') ? jsonPlatform(c) : undefined;
  if (manifests && platform !== undefined) throw manifestsOfPlatform();
  const view = await backends.images.inspect(pathParam(c, 'name'), { manifests, platform });
  const options = { version: c.get('version'), storageDriver: facts.storageDriver };
  return c.json(toImageInspect(view, options));
};

const history: Handler = async (c, { backends }) => {
  const platform = isAtLeast(c.get('version'), '1.48') ? jsonPlatform(c) : undefined;
  const entries = await backends.images.history(pathParam(c, 'name'), platform);
  return c.json(entries.map(toHistoryEntry));
};

const tag: Handler = async (c, { backends }) => {
  const repository = queryText(c, 'repo');
  if (repository === undefined) throw missingParameter('repo');
  await backends.images.tag(pathParam(c, 'name'), { repository, tag: queryText(c, 'tag') });
  return c.body(null, 201);
};

const remove: Handler = async (c, { backends }) => {
  const removals = await backends.images.remove(pathParam(c, 'name'), {
    force: queryFlag(c, 'force'),
    prune: !queryFlag(c, 'noprune'),
    platforms: isAtLeast(c.get('version'), '1.50') ? jsonPlatforms(c) : [],
  });
  return c.json(removals.map(toRemoval));
};

const prune: Handler = async (c, { backends }) => {
  const pruned = await backends.images.prune(decodeFilters(c.req.query('filters')));
  const removals = pruned.removals.map(toRemoval);
  return c.json({
    ImagesDeleted: removals.length === 0 ? null : removals,
    SpaceReclaimed: pruned.reclaimedBytes,
  });
};

export const imageHandlers: Handlers = {
  'GET /images/json': answer(list),
  'POST /images/create': answer(pull),
  'GET /images/{name}/json': answer(inspect),
  'GET /images/{name}/history': answer(history),
  'POST /images/{name}/push': answer(push),
  'GET /distribution/{name}/json': answer(describeRemote),
  'GET /images/search': answer(search),
  'POST /images/{name}/tag': answer(tag),
  'DELETE /images/{name}': answer(remove),
  'POST /images/prune': answer(prune),
};
