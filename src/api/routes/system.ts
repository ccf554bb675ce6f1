/** Routes of the engine as a whole. */
import { decodeFilters } from '../../wire/filters.ts';
import { decodeTimestamp } from '../../wire/query.ts';
import { decodeAuthConfig } from '../../wire/registry-auth.ts';
import { unknownValue } from '../../wire/wire-errors.ts';
import { pluginNotFound } from '../api-errors.ts';
import { type ApiContext, type Handler, pathParam } from '../context.ts';
import { toCacheEntry } from '../mappers/cache-entry.ts';
import { toContainerSummary } from '../mappers/container.ts';
import { encodeEvent } from '../mappers/event.ts';
import { toImageSummary } from '../mappers/image.ts';
import { toInfo, toVersion } from '../mappers/system.ts';
import { toVolume } from '../mappers/volume.ts';
import { readJson } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';
import { mapAsync, streamResponse } from '../streaming.ts';

const PING_HEADERS = {
  // 1 makes clients use the classic `POST /build`; 2 would send them to BuildKit's gRPC door.
  'Builder-Version': '2',
  Swarm: 'inactive',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  'Content-Type': 'text/plain; charset=utf-8',
};

const ping: Handler = (c) => c.body('OK', 200, PING_HEADERS);

const pingHead: Handler = (c) => c.body(null, 200, { ...PING_HEADERS, 'Content-Length': '0' });

const version: Handler = async (c, { backends }) => c.json(toVersion(await backends.system.info()));

const info: Handler = async (c, { backends, clock }) =>
  c.json(
    toInfo(await backends.system.info(), { nowIso: clock.nowIso(), version: c.get('version') }),
  );

const events: Handler = (c, deps) => {
  const stream = deps.backends.system.events(
    {
      sinceSeconds: decodeTimestamp('since', c.req.query('since')),
      untilSeconds: decodeTimestamp('until', c.req.query('until')),
      filters: decodeFilters(c.req.query('filters')),
    },
    c.req.raw.signal,
  );
  return streamResponse(c, deps, {
    contentType: 'application/json',
    chunks: mapAsync(stream, encodeEvent),
    onFailure: 'broken-connection',
  });
};

const USAGE_KINDS = ['container', 'image', 'volume', 'build-cache'] as const;
type UsageKind = (typeof USAGE_KINDS)[number];

/** Which parts of the disk usage the client asked for; all of them when it named none. */
function usageKinds(c: ApiContext): ReadonlySet<UsageKind> {
  const asked = c.req.queries('type') ?? [];
  if (asked.length === 0) return new Set(USAGE_KINDS);
  return new Set(
    asked.map((text) => {
      const kind = USAGE_KINDS.find((known) => known === text);
      if (kind === undefined) throw unknownValue('object type', text);
      return kind;
    }),
  );
}

const diskUsage: Handler = async (c, { backends, clock }) => {
  const kinds = usageKinds(c);
  const usage = await backends.system.diskUsage();
  const toUsedVolume = (volume: (typeof usage.volumes)[number]) => ({
    ...toVolume(volume, backends.volumes.mountpoint(volume.name)),
    UsageData: { RefCount: volume.refCount, Size: volume.sizeBytes },
  });
  const toUsedImage = (view: (typeof usage.images)[number]) => ({
    ...toImageSummary(view, c.get('version')),
    Containers: view.containerCount,
  });
  const asked = { nowMs: clock.now(), version: c.get('version') };
  const containers = usage.containers.map((view) => toContainerSummary(view, asked));
  return c.json({
    LayersSize: kinds.has('image') ? usage.layersBytes : 0,
    Images: kinds.has('image') ? usage.images.map(toUsedImage) : null,
    Containers: kinds.has('container') ? containers : null,
    Volumes: kinds.has('volume') ? usage.volumes.map(toUsedVolume) : null,
    BuildCache: kinds.has('build-cache') ? (await backends.caches.usage()).map(toCacheEntry) : null,
  });
};

const login: Handler = async (c, { backends }) => {
  const result = await backends.system.login(decodeAuthConfig(await readJson(c)));
  return c.json({ Status: result.status, IdentityToken: result.identityToken });
};

/** Set-up code of SDKs asks for the plugins; there are none. */
const plugins: Handler = (c) => c.json([]);

/** `docker inspect` asks for a plugin last, and reads this answer as "no such object". */
const plugin: Handler = (c) => {
  throw pluginNotFound(pathParam(c, 'name'));
};

const options: Handler = (c) => c.body(null, 200);

export const systemHandlers: Handlers = {
  'GET /_ping': answer(ping),
  'HEAD /_ping': answer(pingHead),
  'GET /version': answer(version),
  'GET /info': answer(info),
  'GET /events': answer(events),
  'GET /system/df': answer(diskUsage),
  'POST /auth': answer(login),
  'GET /plugins': answer(plugins),
  'GET /plugins/{name}/json': answer(plugin),
  'OPTIONS /{anything}': answer(options),
};
