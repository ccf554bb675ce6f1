/** Our own operation behind `wherry doctor --storage`: JSON lines, findings first, a summary last. */
import { STORAGE_CHECK_PATH } from '../../handshake/storage-report.ts';
import { type Handler, queryFlag } from '../context.ts';
import { answer, type Handlers } from '../route-table.ts';
import { streamJsonLines } from '../streaming.ts';

const check: Handler = (c, deps) => {
  const options = { repairs: queryFlag(c, 'repair'), deep: queryFlag(c, 'deep') };
  return streamJsonLines(c, deps, deps.backends.images.check(options, c.req.raw.signal));
};

export const storageCheckHandlers: Handlers = { [`POST ${STORAGE_CHECK_PATH}`]: answer(check) };
