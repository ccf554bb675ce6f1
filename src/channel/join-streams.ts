/** Two streams made one: each direction ends by itself, and a failure of one side is one of the other. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Carries bytes both ways until both directions have ended. */
export function joinStreams(a: Duplex, b: Duplex): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.once('error', () => cut(to));
    from.once('close', () => {
      if (!(from.readableEnded && from.writableFinished)) cut(to);
    });
    from.pipe(to);
  }
}

/** Nobody may take what came so far for all there is: TCP connections are reset. Other sockets cannot be, and throw. */
export function cut(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket && stream.remoteAddress !== undefined) stream.resetAndDestroy();
  else stream.destroy();
}
