/** What clients serve on their session: files, credentials, secrets, ssh agents, uploads; and fsutil's packets. */
import type { CalledMethod } from '../grpc/grpc-client.ts';
import {
  bytes,
  int,
  int64,
  type MessageType,
  map,
  message,
  string,
  stringMap,
  sub,
  uint32,
} from './message.ts';

/** fsutil.types.Stat: one entry of a tree. `mode` is Go's. */
export const Stat = message({
  path: string(1),
  mode: uint32(2),
  uid: uint32(3),
  gid: uint32(4),
  size: int(5),
  /** Nanoseconds since 1970. */
  modTime: int64(6),
  linkname: string(7),
  devmajor: int(8),
  devminor: int(9),
  xattrs: map(10, bytes(2)),
});

/** Kinds of fsutil's packets. */
export const PACKET = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;
export const Packet = message({ type: int(1), stat: sub(2, Stat), id: uint32(3), data: bytes(4) });

/** A piece of a stream of bytes. */
export const BytesMessage = message({ data: bytes(1) });
const Empty = message({});

function method<Q, QI, A, AI>(
  path: string,
  request: MessageType<Q, QI>,
  response: MessageType<A, AI>,
): CalledMethod<MessageType<Q, QI>, MessageType<A, AI>> {
  return { path, request, response };
}

export const DIFF_COPY = method('/moby.filesync.v1.FileSync/DiffCopy', Packet, Packet);
/** A file for the client, in pieces. */
export const SEND_FILE = method('/moby.filesync.v1.FileSend/DiffCopy', BytesMessage, BytesMessage);
/** A tree for the client: the same method, with the packets of a sender. */
export const SEND_TREE = method('/moby.filesync.v1.FileSend/DiffCopy', Packet, Packet);
export const PULL_UPLOAD = method('/moby.upload.v1.Upload/Pull', BytesMessage, BytesMessage);
export const CREDENTIALS = method(
  '/moby.filesync.v1.Auth/Credentials',
  message({ host: string(1) }),
  message({ username: string(1), secret: string(2) }),
);
export const GET_SECRET = method(
  '/moby.buildkit.secrets.v1.Secrets/GetSecret',
  message({ id: string(1), annotations: stringMap(2) }),
  BytesMessage,
);
export const CHECK_AGENT = method(
  '/moby.sshforward.v1.SSH/CheckAgent',
  message({ id: string(1) }),
  Empty,
);
export const FORWARD_AGENT = method(
  '/moby.sshforward.v1.SSH/ForwardAgent',
  BytesMessage,
  BytesMessage,
);
