/** Routes of containers: lifecycle and queries. */

import { type ApiVersion, isAtLeast } from '../../wire/api-version.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import { decodeFilters } from '../../wire/filters.ts';
import { decodeInteger } from '../../wire/query.ts';
import { decodeCreateContainer } from '../../wire/request-bodies.ts';
import {
  checkpointsNotServed,
  invalidWaitCondition,
  startWithBody,
  tooManyEndpoints,
} from '../../wire/wire-errors.ts';
import type { WaitCondition } from '../backends.ts';
import { type ApiContext, type Handler, pathParam, queryFlag, queryText } from '../context.ts';
import { toContainerInspect, toContainerSummary } from '../mappers/container.ts';
import { readJson, readText } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';
import { deferredJson } from '../streaming.ts';

const list: Handler = async (c, { backends, clock }) => {
  const limit = decodeInteger('limit', c.req.query('limit'));
  const views = await backends.containers.list({
    all: queryFlag(c, 'all'),
    limit: limit === undefined || limit < 1 ? undefined : limit,
    size: queryFlag(c, 'size'),
    filters: listFilters(c),
  });
  const asked = { nowMs: clock.now(), version: c.get('version') };
  return c.json(views.map((view) => toContainerSummary(view, asked)));
};

/** `since` and `before` were parameters of their own before they became filters; both still work. */
function listFilters(c: ApiContext): ReadonlyMap<string, readonly string[]> {
  const filters = new Map(decodeFilters(c.req.query('filters')));
  for (const name of ['since', 'before']) {
    const ref = queryText(c, name);
    if (ref !== undefined) filters.set(name, [...(filters.get(name) ?? []), ref]);
  }
  return filters;
}

/** Up to API 1.43, a read-only mount left what is mounted below it writable. */
function withOldDefaults(hostConfig: HostConfig, version: ApiVersion): HostConfig {
  if (isAtLeast(version, '1.44') || !hostConfig.Mounts) return hostConfig;
  const Mounts = hostConfig.Mounts.map((mount) =>
    mount.Type === 'bind' && mount.ReadOnly === true
      ? { ...mount, BindOptions: { ...mount.BindOptions, ReadOnlyNonRecursive: true } }
      : mount,
  );
  return { ...hostConfig, Mounts };
}

const create: Handler = async (c, { backends }) => {
  const body = decodeCreateContainer(await readJson(c));
  const networks = Object.keys(body.networkingConfig.EndpointsConfig ?? {});
  if (networks.length > 1 && !isAtLeast(c.get('version'), '1.44')) throw tooManyEndpoints(networks);
  const created = await backends.containers.create({
    name: queryText(c, 'name'),
    platform: queryText(c, 'platform'),
    ...body,
    hostConfig: withOldDefaults(body.hostConfig, c.get('version')),
  });
  return c.json({ Id: created.id, Warnings: created.warnings }, 201);
};

const inspect: Handler = async (c, { backends }) => {
  const view = await backends.containers.inspect(pathParam(c, 'id'), {
    size: queryFlag(c, 'size'),
  });
  return c.json(toContainerInspect(view, c.get('version')));
};

/** `{}` and `null` are what old clients send for "no body". */
const HARMLESS_BODIES = new Set(['', '{}', 'null']);

const start: Handler = async (c, { backends }) => {
  if (!HARMLESS_BODIES.has((await readText(c)).trim())) throw startWithBody();
  if (queryText(c, 'checkpoint') !== undefined) throw checkpointsNotServed();
  const outcome = await backends.containers.start(pathParam(c, 'id'));
  return c.body(null, outcome === 'started' ? 204 : 304);
};

function stopOptions(c: ApiContext): {
  timeoutSeconds: number | undefined;
  signal: string | undefined;
} {
  const signal = isAtLeast(c.get('version'), '1.42') ? queryText(c, 'signal') : undefined;
  return { timeoutSeconds: decodeInteger('t', c.req.query('t')), signal };
}

const stop: Handler = async (c, { backends }) => {
  const outcome = await backends.containers.stop(pathParam(c, 'id'), stopOptions(c));
  return c.body(null, outcome === 'stopped' ? 204 : 304);
};

const restart: Handler = async (c, { backends }) => {
  await backends.containers.restart(pathParam(c, 'id'), stopOptions(c));
  return c.body(null, 204);
};

const kill: Handler = async (c, { backends }) => {
  await backends.containers.kill(pathParam(c, 'id'), queryText(c, 'signal'));
  return c.body(null, 204);
};

const pause: Handler = async (c, { backends }) => {
  await backends.containers.pause(pathParam(c, 'id'));
  return c.body(null, 204);
};

const unpause: Handler = async (c, { backends }) => {
  await backends.containers.unpause(pathParam(c, 'id'));
  return c.body(null, 204);
};

const rename: Handler = async (c, { backends }) => {
  await backends.containers.rename(pathParam(c, 'id'), c.req.query('name') ?? '');
  return c.body(null, 204);
};

const remove: Handler = async (c, { backends }) => {
  if (queryFlag(c, 'link')) {
    await backends.containers.removeLink(pathParam(c, 'id'));
    return c.body(null, 204);
  }
  await backends.containers.remove(pathParam(c, 'id'), {
    force: queryFlag(c, 'force'),
    volumes: queryFlag(c, 'v'),
  });
  return c.body(null, 204);
};

function waitCondition(c: ApiContext): WaitCondition {
  const text = queryText(c, 'condition') ?? 'not-running';
  if (text === 'not-running' || text === 'next-exit' || text === 'removed') return text;
  throw invalidWaitCondition(text);
}

const wait: Handler = async (c, deps) => {
  const { result } = await deps.backends.containers.wait(
    pathParam(c, 'id'),
    waitCondition(c),
    c.req.raw.signal,
  );
  return deferredJson(c, deps, {
    value: result.then(({ exitCode, error }) => ({
      StatusCode: exitCode,
      ...(error === undefined || error === '' ? {} : { Error: { Message: error } }),
    })),
    onRejected: (message) => ({ StatusCode: -1, Error: { Message: message } }),
  });
};

const prune: Handler = async (c, { backends }) => {
  const pruned = await backends.containers.prune(decodeFilters(c.req.query('filters')));
  return c.json({ ContainersDeleted: pruned.deleted, SpaceReclaimed: pruned.reclaimedBytes });
};

export const containerHandlers: Handlers = {
  'GET /containers/json': answer(list),
  'POST /containers/create': answer(create),
  'GET /containers/{id}/json': answer(inspect),
  'POST /containers/{id}/start': answer(start),
  'POST /containers/{id}/stop': answer(stop),
  'POST /containers/{id}/restart': answer(restart),
  'POST /containers/{id}/kill': answer(kill),
  'POST /containers/{id}/pause': answer(pause),
  'POST /containers/{id}/unpause': answer(unpause),
  'POST /containers/{id}/rename': answer(rename),
  'DELETE /containers/{id}': answer(remove),
  'POST /containers/{id}/wait': answer(wait),
  'POST /containers/prune': answer(prune),
};
