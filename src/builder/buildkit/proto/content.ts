/** containerd.services.content.v1.Content, as clients serve it for caches that are directories of theirs. */
import type { CalledMethod } from '../grpc/grpc-client.ts';
import { bytes, int, type MessageType, message, string, sub } from './message.ts';

export const WRITE_ACTION = { stat: 0, write: 1, commit: 2 } as const;

const InfoRequest = message({ digest: string(1) });
const InfoResponse = message({ info: sub(1, message({ digest: string(1), size: int(2) })) });
const ReadRequest = message({ digest: string(1), offset: int(2), size: int(3) });
const ReadResponse = message({ offset: int(1), data: bytes(2) });
const WriteRequest = message({
  action: int(1),
  ref: string(2),
  total: int(3),
  expected: string(4),
  offset: int(5),
  data: bytes(6),
});
const WriteResponse = message({ action: int(1), offset: int(4), total: int(5), digest: string(6) });

const SERVICE = '/containerd.services.content.v1.Content';

function method<Q, QI, A, AI>(
  name: string,
  request: MessageType<Q, QI>,
  response: MessageType<A, AI>,
): CalledMethod<MessageType<Q, QI>, MessageType<A, AI>> {
  return { path: `${SERVICE}/${name}`, request, response };
}

export const CONTENT_INFO = method('Info', InfoRequest, InfoResponse);
export const CONTENT_READ = method('Read', ReadRequest, ReadResponse);
export const CONTENT_WRITE = method('Write', WriteRequest, WriteResponse);
