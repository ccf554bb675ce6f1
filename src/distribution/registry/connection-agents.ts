/** Pools of connections to registries, each connection opened by whoever knows the way. */
import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, rootCertificates } from 'node:tls';

/** Opens a TCP connection: in the engine through the host, whose names, routes and loopback it shares. */
export type OpenConnection = (target: {
  readonly host: string;
  readonly port: number;
}) => Promise<Socket>;

export interface AgentSettings {
  /** PEM certificates that are trusted besides the usual authorities. */
  readonly certificateAuthorities: readonly string[];
  readonly openConnection: OpenConnection;
}

/** One pool for each way to treat certificates. */
export interface ConnectionAgents {
  readonly plain: HttpAgent;
  readonly secure: HttpsAgent;
  /** Accepts any certificate. */
  readonly unchecked: HttpsAgent;
}

const IDLE_SOCKETS = 8;

type Opened = (error: Error | null, socket?: Socket) => void;
type Target = ConnectionOptions & { readonly host?: string; readonly port?: number | string };

/** Makes the pools; nothing is opened before the first request. */
export function makeAgents(settings: AgentSettings): ConnectionAgents {
  const { certificateAuthorities, openConnection } = settings;
  const pool: AgentOptions = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS };
  const ca =
    certificateAuthorities.length === 0
      ? {}
      : { ca: [...rootCertificates, ...certificateAuthorities] };
  const plainOpener = opener(openConnection, (socket) => socket);
  const secureOpener = opener(openConnection, encrypt);
  return {
    plain: Object.assign(new HttpAgent(pool), plainOpener),
    secure: Object.assign(new HttpsAgent({ ...pool, ...ca }), secureOpener),
    unchecked: Object.assign(new HttpsAgent({ ...pool, rejectUnauthorized: false }), secureOpener),
  };
}

/** Node asks an agent's `createConnection` for each new connection (node:http, "agent.createConnection"). */
function opener(open: OpenConnection, wrap: (socket: Socket, target: Target) => Socket) {
  return {
    createConnection(target: Target, opened: Opened): undefined {
      open({ host: target.host ?? 'localhost', port: Number(target.port) }).then(
        (socket) => opened(null, wrap(socket, target)),
        (error: unknown) => opened(error instanceof Error ? error : new Error(String(error))),
      );
    },
  };
}

function encrypt(socket: Socket, target: Target): Socket {
  const host = target.host ?? '';
  // A server name must not be an address (RFC 6066, section 3).
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ ...target, ...name, socket });
}
