/**
 * A session within a call: newer clients that share one session among several builds open it over the connection of
 * their calls. The bytes of the connection travel as messages.
 */
import { Duplex, PassThrough, Readable } from 'node:stream';
import { bothWays, type CallInfo, type ServedMethod } from '../grpc/service.ts';
import { BytesMessage } from '../proto/session.ts';
import { noSessionId } from './session-errors.ts';
import type { SessionOffer, SessionRegistry } from './session-registry.ts';

const HEADER = 'x-docker-expose-session-';

export function sessionMethod(sessions: SessionRegistry): ReadonlyMap<string, ServedMethod> {
  const types = { request: BytesMessage, response: BytesMessage };
  return new Map([
    [
      '/moby.buildkit.v1.Control/Session',
      bothWays(types, async function* (requests, call) {
        const offer = offerOf(call);
        const outgoing = new PassThrough();
        async function* incoming() {
          for await (const { data } of requests) yield data;
        }
        const readable = Readable.from(incoming(), { objectMode: false });
        const connection = Duplex.from({ readable, writable: outgoing });
        // The connection's end is the session's; there is nobody else to tell.
        connection.on('error', () => undefined);
        call.signal.addEventListener('abort', () => connection.destroy(), { once: true });
        const served = sessions.serve(connection, offer).finally(() => outgoing.end());
        for await (const data of outgoing) yield { data: data as Buffer };
        await served;
      }),
    ],
  ]);
}

function offerOf({ metadata }: CallInfo): SessionOffer {
  const values = (name: string) => metadata.get(`${HEADER}${name}`) ?? [];
  const [id] = values('uuid');
  if (id === undefined || id === '') throw noSessionId();
  const methods = values('grpc-method').flatMap((value) => value.split(/,\s*/));
  return { id, sharedKey: values('sharedkey')[0] ?? '', methods };
}
