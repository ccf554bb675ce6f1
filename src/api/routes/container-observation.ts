/** Routes for looking into containers, and for changing what they may use. */
import { isAtLeast } from '../../wire/api-version.ts';
import { decodeUpdateContainer } from '../../wire/request-bodies.ts';
import { type Handler, pathParam, queryFlag } from '../context.ts';
import { toContainerStats } from '../mappers/container-stats.ts';
import { readJson } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';
import { mapAsync, streamResponse } from '../streaming.ts';

const top: Handler = async (c, { backends }) => {
  const psArgs = c.req.query('ps_args') ?? '';
  const { titles, processes } = await backends.containers.top(pathParam(c, 'id'), psArgs);
  return c.json({ Titles: titles, Processes: processes });
};

const encoder = new TextEncoder();

const stats: Handler = async (c, deps) => {
  const samples = await deps.backends.containers.stats(
    pathParam(c, 'id'),
    {
      stream: queryFlag(c, 'stream', true),
      oneShot: isAtLeast(c.get('version'), '1.41') && queryFlag(c, 'one-shot'),
    },
    c.req.raw.signal,
  );
  return streamResponse(c, deps, {
    contentType: 'application/json',
    chunks: mapAsync(samples, (sample) =>
      encoder.encode(`${JSON.stringify(toContainerStats(sample))}\n`),
    ),
    onFailure: 'broken-connection',
  });
};

const update: Handler = async (c, { backends }) => {
  const change = decodeUpdateContainer(await readJson(c));
  const { warnings } = await backends.containers.update(pathParam(c, 'id'), change);
  return c.json({ Warnings: warnings });
};

export const containerObservationHandlers: Handlers = {
  'GET /containers/{id}/top': answer(top),
  'GET /containers/{id}/stats': answer(stats),
  'POST /containers/{id}/update': answer(update),
};
