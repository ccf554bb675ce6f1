/** Routes of volumes. */
import type { VolumeDocument } from '../../engine/volumes/volume-document.ts';
import { isAtLeast } from '../../wire/api-version.ts';
import { decodeFilters } from '../../wire/filters.ts';
import { decodeCreateVolume } from '../../wire/request-bodies.ts';
import { notSwarmManager } from '../api-errors.ts';
import type { VolumeBackend } from '../backends.ts';
import { type Handler, pathParam, queryFlag } from '../context.ts';
import { toVolume } from '../mappers/volume.ts';
import { readOptionalJson } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';

const render = (volumes: VolumeBackend, document: VolumeDocument) =>
  toVolume(document, volumes.mountpoint(document.name));

const list: Handler = async (c, { backends: { volumes } }) => {
  const documents = await volumes.list(decodeFilters(c.req.query('filters')));
  return c.json({
    Volumes: documents.map((document) => render(volumes, document)),
    Warnings: null,
  });
};

const create: Handler = async (c, { backends: { volumes } }) => {
  const body = decodeCreateVolume(await readOptionalJson(c));
  if (body.ClusterVolumeSpec != null) throw notSwarmManager();
  const document = await volumes.create({
    name: body.Name || undefined,
    driver: body.Driver || undefined,
    options: body.DriverOpts,
    labels: body.Labels,
  });
  return c.json(render(volumes, document), 201);
};

const inspect: Handler = async (c, { backends: { volumes } }) =>
  c.json(render(volumes, await volumes.inspect(pathParam(c, 'name'))));

const remove: Handler = async (c, { backends }) => {
  await backends.volumes.remove(pathParam(c, 'name'), { force: queryFlag(c, 'force') });
  return c.body(null, 204);
};

const prune: Handler = async (c, { backends }) => {
  const filters = new Map(decodeFilters(c.req.query('filters')));
  // Before 1.42 nobody could ask for anonymous volumes only: everything unused went.
  if (!isAtLeast(c.get('version'), '1.42')) filters.set('all', ['true']);
  const pruned = await backends.volumes.prune(filters);
  return c.json({ VolumesDeleted: pruned.deleted, SpaceReclaimed: pruned.reclaimedBytes });
};

export const volumeHandlers: Handlers = {
  'GET /volumes': answer(list),
  'POST /volumes/create': answer(create),
  'GET /volumes/{name}': answer(inspect),
  'DELETE /volumes/{name}': answer(remove),
  'POST /volumes/prune': answer(prune),
};
