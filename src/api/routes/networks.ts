/** Routes of networks. */
import { decodeFilters } from '../../wire/filters.ts';
import { type Handler, pathParam } from '../context.ts';
import { toNetwork } from '../mappers/network.ts';
import { answer, type Handlers } from '../route-table.ts';

const list: Handler = async (c, { backends }) => {
  const views = await backends.networks.list(decodeFilters(c.req.query('filters')));
  return c.json(views.map(({ record }) => toNetwork({ record, members: [] })));
};

const inspect: Handler = async (c, { backends }) =>
  c.json(toNetwork(await backends.networks.inspect(pathParam(c, 'id'))));

export const networkHandlers: Handlers = {
  'GET /networks': answer(list),
  'GET /networks/{id}': answer(inspect),
};
