/** Pools of connections to registries, each connection opened by whoever knows the way. */
import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createSecureContext,
  rootCertificates,
  type SecureContext,
} from 'node:tls';
import { digestOf } from '../../oci/digest.ts';
import { openTunnel, type ProxySettings, portOf, proxyFor } from './proxy.ts';
import type { RegistryCertificates } from './registry-certificates.ts';

/** Opens a TCP connection: in the engine through the host, whose names, routes and loopback it shares. */
export type OpenConnection = (target: {
  readonly host: string;
  readonly port: number;
}) => Promise<Socket>;

export interface PoolSettings {
  readonly openConnection: OpenConnection;
  readonly proxies: ProxySettings;
  /** PEM certificates that are trusted besides node's own list. Asked once, at the first connection with TLS. */
  readonly systemAuthorities: () => Promise<readonly string[]>;
  /** What the user has laid down for `host` (`name` or `name:port`). Asked for each request. */
  readonly certificatesFor: (host: string) => Promise<RegistryCertificates>;
  /** Servers whose certificates are not checked. */
  readonly isInsecure: (url: URL) => boolean;
}

/** How one request goes out. */
export interface Route {
  readonly agent: HttpAgent;
  /** A proxy that gets the request itself, with the whole URL as its path. */
  readonly forwarder: URL | undefined;
}

const IDLE_SOCKETS = 8;
/** More than an honest pull ever meets; the oldest pool goes first. */
const MAX_POOLS = 64;

type Opened = (error: Error | null, socket?: Socket) => void;
type Target = ConnectionOptions & { readonly host?: string; readonly port?: number | string };

export class ConnectionPools {
  readonly #settings: PoolSettings;
  readonly #agents = new Map<string, HttpAgent>();
  #authorities: Promise<readonly string[]> | undefined;
  /** For all servers without certificates of their own: making a context is slow. */
  #common: Promise<SecureContext> | undefined;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /** The pool for `url`. Rejects when the user's certificates or proxy settings for it cannot be used. */
  async routeTo(url: URL): Promise<Route> {
    const proxy = proxyFor(url, this.#settings.proxies);
    if (url.protocol === 'http:') {
      const key = `${url.origin} ${proxy?.href}`;
      return { agent: this.#pool(key, () => this.#plainAgent(proxy)), forwarder: proxy };
    }
    const own = await this.#settings.certificatesFor(url.host);
    const isChecked = !this.#settings.isInsecure(url);
    const key = `${url.origin} ${isChecked} ${proxy?.href} ${digestOf(JSON.stringify(own))}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return { agent: known, forwarder: undefined };
    const context = await this.#contextFor(own);
    const agent = this.#pool(key, () => this.#secureAgent(proxy, { context, isChecked }));
    return { agent, forwarder: undefined };
  }

  /** Closes idle connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #pool(key: string, make: () => HttpAgent): HttpAgent {
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#agents;
    if (oldest !== undefined && this.#agents.size >= MAX_POOLS) {
      this.#agents.delete(oldest[0]);
      oldest[1].destroy();
    }
    const agent = make();
    this.#agents.set(key, agent);
    return agent;
  }

  #plainAgent(proxy: URL | undefined): HttpAgent {
    const open = (target: Target) => this.#open(proxy ?? target);
    return Object.assign(new HttpAgent(pooling()), opener(open));
  }

  #secureAgent(
    proxy: URL | undefined,
    trust: { readonly context: SecureContext; readonly isChecked: boolean },
  ): HttpAgent {
    const open = async (target: Target) => {
      const place = { host: target.host ?? 'localhost', port: Number(target.port) };
      const socket =
        proxy === undefined
          ? await this.#open(place)
          : await openTunnel(await this.#open(proxy), proxy, place);
      return encrypt(socket, target, trust);
    };
    return Object.assign(new HttpsAgent(pooling()), opener(open));
  }

  async #open(target: URL | Target): Promise<Socket> {
    const { openConnection } = this.#settings;
    if (!(target instanceof URL)) {
      return await openConnection({ host: target.host ?? 'localhost', port: Number(target.port) });
    }
    const isSecure = target.protocol === 'https:';
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const socket = await openConnection({ host, port: portOf(target) });
    if (!isSecure) return socket;
    return encrypt(
      socket,
      { host },
      { context: await this.#contextFor(NO_CERTIFICATES), isChecked: true },
    );
  }

  async #contextFor(own: RegistryCertificates): Promise<SecureContext> {
    const isCommon = own.authorities.length === 0 && own.clients.length === 0;
    if (!isCommon) return await this.#makeContext(own);
    this.#common ??= this.#makeContext(own);
    return await this.#common;
  }

  async #makeContext(own: RegistryCertificates): Promise<SecureContext> {
    this.#authorities ??= this.#settings.systemAuthorities();
    const ca = [...rootCertificates, ...(await this.#authorities), ...own.authorities];
    const cert = own.clients.map(({ certificate }) => certificate);
    const key = own.clients.map((client) => client.key);
    return createSecureContext(cert.length === 0 ? { ca } : { ca, cert, key });
  }
}

const NO_CERTIFICATES: RegistryCertificates = { authorities: [], clients: [] };

function pooling(): AgentOptions {
  return { keepAlive: true, maxFreeSockets: IDLE_SOCKETS };
}

/** Node asks an agent's `createConnection` for each new connection (node:http, "agent.createConnection"). */
function opener(open: (target: Target) => Promise<Socket>) {
  return {
    createConnection(target: Target, opened: Opened): undefined {
      open(target).then(
        (socket) => opened(null, socket),
        (error: unknown) => opened(error instanceof Error ? error : new Error(String(error))),
      );
    },
  };
}

function encrypt(
  socket: Socket,
  target: Target,
  trust: { readonly context: SecureContext; readonly isChecked: boolean },
): Socket {
  const host = target.host ?? '';
  // A server name must not be an address (RFC 6066, section 3).
  const name = isIP(host) === 0 ? { servername: host } : {};
  const { context: secureContext, isChecked: rejectUnauthorized } = trust;
  return connectTls({ ...target, ...name, socket, secureContext, rejectUnauthorized });
}
