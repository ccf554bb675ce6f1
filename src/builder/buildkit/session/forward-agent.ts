/** A socket on this machine that leads to an ssh agent of the client, one call of its session for each connection. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { GRPC_CODE, StatusError } from '../grpc/grpc-errors.ts';
import { CHECK_AGENT, FORWARD_AGENT } from '../proto/session.ts';
import type { Session } from './session-registry.ts';

/** Names the agent that is wanted. */
const ID_HEADER = 'buildkit.ssh.id';

/** Makes the socket at `path`; undefined when the client forwards no agent of that id. */
export async function forwardAgent(
  session: Session,
  agent: { readonly id: string; readonly path: string },
  signal: AbortSignal,
): Promise<{ close(): Promise<void> } | undefined> {
  if (!session.serves(CHECK_AGENT.path)) return undefined;
  if (!(await hasAgent(session, agent.id, signal))) return undefined;
  const connections = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    void relay(session, agent.id, socket);
  });
  await listening(server, agent.path);
  // Whoever RUN is there may use it; the directory above says who gets that far.
  await chmod(agent.path, 0o666);
  return {
    async close() {
      for (const socket of connections) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(agent.path, { force: true });
    },
  };
}

async function hasAgent(session: Session, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await session.call(CHECK_AGENT, { id }, { signal });
    return true;
  } catch (error) {
    if (error instanceof StatusError && error.status.code !== GRPC_CODE.cancelled) return false;
    throw error;
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Moves bytes both ways until one side ends. Never rejects. */
async function relay(session: Session, id: string, socket: Socket): Promise<void> {
  socket.on('error', () => socket.destroy());
  try {
    const call = session.open(FORWARD_AGENT, {
      metadata: new Map([[ID_HEADER, [id]]]),
      signal: session.gone,
    });
    socket.once('close', () => call.cancel());
    const sending = (async () => {
      for await (const data of socket) await call.send({ data: data as Buffer });
      call.end();
    })();
    // Both directions fail together; the receiving one tells.
    sending.catch(() => call.cancel());
    for await (const { data } of call.messages) socket.write(data);
    socket.end();
  } catch {
    // The client is gone, or its agent: for who asks, the agent hung up.
    socket.destroy();
  }
}
