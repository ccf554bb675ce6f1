/** Routes of networks. */
import { decodeFilters } from '../../wire/filters.ts';
import {
  decodeConnectNetwork,
  decodeCreateNetwork,
  decodeDisconnectNetwork,
} from '../../wire/network-bodies.ts';
import { type Handler, pathParam } from '../context.ts';
import { toNetwork } from '../mappers/network.ts';
import { readJson } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';

const list: Handler = async (c, { backends }) => {
  const views = await backends.networks.list(decodeFilters(c.req.query('filters')));
  return c.json(views.map(({ record }) => toNetwork({ record, members: [] })));
};

const inspect: Handler = async (c, { backends }) =>
  c.json(toNetwork(await backends.networks.inspect(pathParam(c, 'id'))));

const create: Handler = async (c, { backends }) => {
  const body = decodeCreateNetwork(await readJson(c));
  const { id, warnings } = await backends.networks.create(body);
  return c.json({ Id: id, Warning: warnings.join('\n') }, 201);
};

const remove: Handler = async (c, { backends }) => {
  await backends.networks.remove(pathParam(c, 'id'));
  return c.body(null, 204);
};

const connect: Handler = async (c, { backends }) => {
  const { Container, EndpointConfig = {} } = decodeConnectNetwork(await readJson(c));
  await backends.networks.connect(pathParam(c, 'id'), Container, EndpointConfig);
  return c.body(null, 200);
};

const disconnect: Handler = async (c, { backends }) => {
  const { Container } = decodeDisconnectNetwork(await readJson(c));
  await backends.networks.disconnect(pathParam(c, 'id'), Container);
  return c.body(null, 200);
};

const prune: Handler = async (c, { backends }) => {
  const deleted = await backends.networks.prune(decodeFilters(c.req.query('filters')));
  return c.json({ NetworksDeleted: deleted.length === 0 ? null : deleted });
};

export const networkHandlers: Handlers = {
  'GET /networks': answer(list),
  'GET /networks/{id}': answer(inspect),
  'DELETE /networks/{id}': answer(remove),
  'POST /networks/create': answer(create),
  'POST /networks/{id}/connect': answer(connect),
  'POST /networks/{id}/disconnect': answer(disconnect),
  'POST /networks/prune': answer(prune),
};
