/** Settings of our side of every HTTP/2 connection. */
import type { Http2Session, Settings } from 'node:http2';

/** Uploads of contexts wait for no window this large on a local socket. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

export const HTTP2_SETTINGS: Settings = {
  initialWindowSize: STREAM_WINDOW_BYTES,
  maxFrameSize: 1024 * 1024,
  enablePush: false,
};

/** Gives the connection as a whole room for more than one stream. */
export function widenWindow(session: Http2Session): void {
  const widen = () => {
    if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  };
  if (session.connecting) session.once('connect', widen);
  else widen();
}
