/** Routes over which BuildKit's clients speak gRPC: `/grpc` towards the engine, `/session` towards themselves. */
import { sessionIdExpected, upgradeExpected } from '../api-errors.ts';
import { type Handlers, takeover } from '../route-table.ts';
import type { TakeoverHandler, TakeoverRequest } from '../takeover.ts';

const calls: TakeoverHandler = async (request, { backends }) => {
  assertUpgrade(request);
  return { kind: 'h2c', serve: (socket) => backends.buildClients.serveCalls(socket) };
};

const session: TakeoverHandler = async (request, { backends }) => {
  assertUpgrade(request);
  const id = header(request, 'uuid');
  if (id === '') throw sessionIdExpected();
  const offer = {
    id,
    sharedKey: header(request, 'sharedkey'),
    methods: header(request, 'grpc-method')
      .split(/,\s*/)
      .filter((method) => method !== ''),
  };
  return { kind: 'h2c', serve: (socket) => backends.buildClients.serveSession(socket, offer) };
};

function assertUpgrade({ headers }: TakeoverRequest): void {
  if (headers.upgrade?.toLowerCase() !== 'h2c') throw upgradeExpected(headers.upgrade);
}

/** A header of the session; repeated ones come joined by commas. */
function header({ headers }: TakeoverRequest, name: string): string {
  return String(headers[`x-docker-expose-session-${name}`] ?? '');
}

export const buildClientHandlers: Handlers = {
  'POST /grpc': takeover(calls),
  'POST /session': takeover(session),
};
