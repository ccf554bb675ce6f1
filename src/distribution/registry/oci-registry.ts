/** Registries that speak the OCI distribution API. */
import { digestOf } from '../../oci/digest.ts';
import { DEFAULT_DOMAIN, type ImageReference } from '../../oci/reference.ts';
import type { Clock } from '../../shared/clock.ts';
import { wrapError } from '../../shared/errors.ts';
import type { RegistryCredentials } from '../../wire/registry-auth.ts';
import type {
  ImageRegistry,
  PushTarget,
  RegistryLimit,
  Repository,
  SearchResult,
} from '../image-registry.ts';
import { Account, type FindCredentials, NOBODY } from './account.ts';
import { Authorizer } from './authorizer.ts';
import type { PoolSettings } from './connection-pools.ts';
import { type EndpointSettings, endpointsOf, isInsecure } from './endpoints.ts';
import { HttpTransport } from './http-transport.ts';
import { OciPushTarget } from './oci-push-target.ts';
import { OciRepository } from './oci-repository.ts';
import { RegistryConnection } from './registry-connection.ts';
import { loginRefused, RegistryFailure } from './registry-errors.ts';
import { type SearchQuery, searchIndex } from './registry-search.ts';
import type { RetryPolicy } from './retry.ts';

export interface OciRegistryOptions extends EndpointSettings, Omit<PoolSettings, 'isInsecure'> {
  readonly clock: Clock;
  readonly userAgent: string;
  readonly retry: Omit<RetryPolicy, 'clock'>;
  readonly idleTimeoutMs: number;
  /** What the user has laid down for a registry, asked for only when it wants to know who is there. */
  readonly findCredentials: FindCredentials;
}

/** Tries and pauses for daemons: gives up after about four seconds. */
export const DEFAULT_RETRY: Omit<RetryPolicy, 'clock'> = {
  attempts: 5,
  firstDelayMs: 250,
  longestDelayMs: 30_000,
};

/** A registry that is silent for so long is taken for gone. */
export const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/** Servers that mean docker.io, as clients write them. */
const DOCKER_HUB =
  /^(?:https?:\/\/)?(?:index\.docker\.io|docker\.io|registry-1\.docker\.io)(?:\/|$)/;

const LOGIN_TIMEOUT_MS = 30_000;

export class OciRegistry implements ImageRegistry {
  readonly #options: OciRegistryOptions;
  readonly #transport: HttpTransport;
  /** Connections by domain and user, so that tokens and the protocol found are kept between pulls. */
  readonly #connections = new Map<string, readonly RegistryConnection[]>();

  readonly #limits = new Map<string, RegistryLimit>();

  constructor(options: OciRegistryOptions) {
    this.#options = options;
    this.#transport = new HttpTransport({
      ...options,
      isInsecure: (url) => isInsecure(url, options),
    });
  }

  limits(): readonly RegistryLimit[] {
    return [...this.#limits.values()];
  }

  /** Closes idle connections. */
  close(): void {
    this.#transport.close();
  }

  repository(reference: ImageReference, credentials: RegistryCredentials | undefined): Repository {
    const { domain } = reference;
    return new OciRepository(reference, {
      connections: this.#connectionsTo(domain, credentials),
      policy: this.#policy(),
      heardLimit: (left) => {
        this.#limits.set(domain, { domain, left, saidAtMs: this.#options.clock.now() });
      },
    });
  }

  pushTarget(reference: ImageReference, credentials: RegistryCredentials | undefined): PushTarget {
    const connection = this.#connectionsTo(reference.domain, credentials).at(-1);
    if (connection === undefined) throw new Error(`no endpoint for ${reference.domain}`);
    return new OciPushTarget(reference, { connection, policy: this.#policy() });
  }

  search(query: SearchQuery, signal: AbortSignal): Promise<readonly SearchResult[]> {
    return searchIndex(this.#transport, query, { settings: this.#options, signal });
  }

  async login(
    credentials: RegistryCredentials,
  ): Promise<{ status: string; identityToken: string }> {
    const { serverAddress } = credentials;
    const isHub = serverAddress === '' || DOCKER_HUB.test(serverAddress);
    const domain = isHub ? DEFAULT_DOMAIN : hostOf(serverAddress);
    const endpoint = endpointsOf(domain, this.#options).at(-1);
    if (endpoint === undefined) throw new Error(`no endpoint for ${domain}`);
    const { clock } = this.#options;
    const transport = this.#transport;
    const account = new Account(credentials);
    const authorizer = new Authorizer({ transport, clock, account, wantsRefreshToken: true });
    const connection = new RegistryConnection({ transport, authorizer, clock, endpoint });
    const signal = AbortSignal.timeout(LOGIN_TIMEOUT_MS);
    try {
      const response = await connection.send({ path: 'v2/', scope: '', signal });
      response.body.resume();
    } catch (error) {
      const refused = error instanceof RegistryFailure && [401, 403].includes(error.status);
      if (refused) throw loginRefused(new URL(`https://${domain}/v2/`), error);
      throw wrapError(error, 'login attempt failed');
    }
    return { status: 'Login Succeeded', identityToken: authorizer.refreshToken };
  }

  #policy(): RetryPolicy {
    return { ...this.#options.retry, clock: this.#options.clock };
  }

  #connectionsTo(
    domain: string,
    credentials: RegistryCredentials | undefined,
  ): readonly RegistryConnection[] {
    const key = digestOf(JSON.stringify([domain, credentials]));
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const { clock, findCredentials } = this.#options;
    const find = () => findCredentials(domain);
    const made = this.#connect(domain, new Account(credentials, { find, clock }));
    this.#connections.set(key, made);
    return made;
  }

  #connect(domain: string, account: Account): readonly RegistryConnection[] {
    const { clock } = this.#options;
    return endpointsOf(domain, this.#options).map((endpoint) => {
      // Credentials are for the registry itself: a mirror must not see them.
      const own = endpoint.isMirror ? NOBODY : account;
      const authorizer = new Authorizer({ transport: this.#transport, clock, account: own });
      return new RegistryConnection({ transport: this.#transport, authorizer, clock, endpoint });
    });
  }
}

/** The host of a server address, which may be a URL or a host with or without a path. */
function hostOf(serverAddress: string): string {
  return serverAddress.replace(/^https?:\/\//, '').split('/')[0] ?? serverAddress;
}
