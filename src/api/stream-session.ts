/** Moves bytes between a client's socket and an attached process, at the pace of the slower one. */
import type { Socket } from 'node:net';
import type { OutputChunk, StdinSink } from '../runtime/task-runner.ts';
import { frameHeader } from '../wire/stdcopy.ts';
import type { AttachSession } from './backends.ts';

/** How long a client may take to close its side once everything has been sent to it. */
const LINGER_MS = 10_000;

/**
 * Serves a session until its output ends or the client is gone, then ends the connection. The client's end of
 * input closes the process's stdin only: output goes on. Output is multiplexed in frames unless `raw`. Rejects when the output breaks; the connection is then
 * left to the caller.
 */
export async function serveSession(
  socket: Socket,
  session: AttachSession,
  raw: boolean,
): Promise<void> {
  // A failure to let go shows again below, where it is waited for.
  const letGo = () => void session.close().catch(() => undefined);
  socket.once('close', letGo);
  if (socket.destroyed) letGo();
  pumpInput(socket, session.stdin);
  try {
    for await (const chunk of session.output) {
      if (socket.destroyed) break;
      if (!writeChunk(socket, raw, chunk)) await drained(socket);
    }
  } finally {
    socket.off('close', letGo);
    await session.close();
  }
}

/** True while the socket's buffer has room. Header and data leave in one system call. */
function writeChunk(socket: Socket, raw: boolean, { stream, data }: OutputChunk): boolean {
  if (raw) return socket.write(data);
  socket.cork();
  socket.write(frameHeader(stream, data.length));
  const roomLeft = socket.write(data);
  socket.uncork();
  return roomLeft;
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      socket.off('drain', settle);
      socket.off('close', settle);
      resolve();
    };
    socket.on('drain', settle);
    socket.on('close', settle);
    if (socket.destroyed) settle();
  });
}

/** Hands the client's bytes to stdin one chunk at a time. Without stdin, or once it is closed, they are dropped. */
function pumpInput(socket: Socket, stdin: StdinSink | undefined): void {
  let sink = stdin;
  const drop = () => {
    sink = undefined;
  };
  socket.on('data', (chunk: Buffer) => {
    if (sink === undefined) return;
    socket.pause();
    // A process that has gone or closed its stdin does not end the session: its output may still be under way.
    void sink
      .write(chunk)
      .catch(drop)
      .finally(() => socket.resume());
  });
  const finish = () => void sink?.end().catch(drop);
  // A socket without unread bytes tells its end at once, be it before anybody listens.
  if (socket.readableEnded) finish();
  else socket.on('end', finish);
  socket.resume();
}

/**
 * Ends our side after what was written. The client's late input is read and dropped meanwhile: closing with
 * unread bytes would reset the connection and could cost it the last output.
 */
export function endConnection(socket: Socket): void {
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
