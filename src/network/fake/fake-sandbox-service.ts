/** Sandboxes in memory: addresses and ports are handed out by the same rules, nothing touches the kernel. */
import { invariant } from '../../shared/errors.ts';
import { type ContainerId, type NetworkId, randomId, shortId } from '../../shared/ids.ts';
import { formatIpv4, type Ipv4Prefix, parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { macOfAddress, parseMacAddress } from '../bridge/mac-address.ts';
import { type AddressPool, ipv4Pool } from '../ipam/address-pool.ts';
import {
  addressInUse,
  endpointExists,
  invalidMacAddress,
  networkMissing,
  notConnected,
  portAllocated,
} from '../network-errors.ts';
import type { NetworkRecord } from '../network-record.ts';
import { renamed } from '../sandbox/sandbox-document.ts';
import type {
  Endpoint,
  EndpointRequest,
  PublishedPort,
  PublishRequest,
  Sandbox,
  SandboxRequest,
  SandboxService,
} from '../sandbox-service.ts';

/** 172.17.0.1/16, as a fresh machine has it. */
const BRIDGE: Ipv4Prefix = { address: 0xac110001, prefixLength: 16 };
const BRIDGE_ID = 'b'.repeat(64) as NetworkId;
const FIRST_RANDOM_PORT = 49153;
const CREATED_AT = '2024-01-01T00:00:00.000000000Z';

interface FakeNetwork {
  readonly name: string;
  readonly prefix: Ipv4Prefix;
  readonly pool: AddressPool;
}

function fakeNetwork(name: string, prefix: Ipv4Prefix): FakeNetwork {
  return { name, prefix, pool: ipv4Pool({ prefix, reserved: [formatIpv4(prefix.address)] }) };
}

export class FakeSandboxService implements SandboxService {
  readonly #networks = new Map<NetworkId, FakeNetwork>([
    [BRIDGE_ID, fakeNetwork('bridge', BRIDGE)],
  ]);
  readonly #sandboxes = new Map<ContainerId, Sandbox>();
  #nextRandomPort = FIRST_RANDOM_PORT;

  async create(request: SandboxRequest): Promise<Sandbox> {
    const present = this.#sandboxes.get(request.containerId);
    if (present !== undefined) return present;
    const { containerId } = request;
    const endpoints: Endpoint[] = [];
    try {
      for (const wanted of wantedEndpoints(request)) endpoints.push(this.#plan(wanted, endpoints));
      const published = this.#publish(request, endpoints[0]);
      const netnsPath = `/nonexistent/sandboxes/${containerId}/netns`;
      const sandbox = { containerId, netnsPath, endpoints, published };
      this.#sandboxes.set(containerId, sandbox);
      return sandbox;
    } catch (error) {
      this.#release(endpoints);
      throw error;
    }
  }

  async restore(containerId: ContainerId): Promise<Sandbox | undefined> {
    return this.#sandboxes.get(containerId);
  }

  get(containerId: ContainerId): Sandbox | undefined {
    return this.#sandboxes.get(containerId);
  }

  /** Makes a network that sandboxes can join: 172.N.0.0/16. */
  addNetwork(name: string): NetworkId {
    const id = randomId() as NetworkId;
    const address = BRIDGE.address + this.#networks.size * 0x10000;
    this.#networks.set(id, fakeNetwork(name, { address, prefixLength: 16 }));
    return id;
  }

  async connect(containerId: ContainerId, request: EndpointRequest): Promise<Sandbox> {
    const sandbox = this.#require(containerId);
    const present = sandbox.endpoints.find(({ networkId }) => networkId === request.networkId);
    if (present !== undefined) throw endpointExists(shortId(containerId), present.networkName);
    return this.#replace(sandbox, [...sandbox.endpoints, this.#plan(request, sandbox.endpoints)]);
  }

  async disconnect(containerId: ContainerId, networkId: NetworkId): Promise<Sandbox> {
    const sandbox = this.#require(containerId);
    const gone = sandbox.endpoints.filter((one) => one.networkId === networkId);
    if (gone.length === 0) throw notConnected(containerId, networkId);
    this.#release(gone);
    return this.#replace(
      sandbox,
      sandbox.endpoints.filter((one) => one.networkId !== networkId),
    );
  }

  async rename(containerId: ContainerId, names: { before: string; after: string }): Promise<void> {
    const sandbox = this.#sandboxes.get(containerId);
    if (sandbox === undefined) return;
    this.#replace(
      sandbox,
      sandbox.endpoints.map((endpoint) => renamed(endpoint, names)),
    );
  }

  async remove(containerId: ContainerId): Promise<void> {
    this.#release(this.#sandboxes.get(containerId)?.endpoints ?? []);
    this.#sandboxes.delete(containerId);
  }

  async list(): Promise<readonly ContainerId[]> {
    return [...this.#sandboxes.keys()];
  }

  networks(): readonly NetworkRecord[] {
    const network = (name: string, driver: NetworkRecord['driver'], digit: string) => ({
      id: digit.repeat(64) as NetworkId,
      name,
      driver,
      createdAt: CREATED_AT,
      options: {},
    });
    return [
      { ...network('bridge', 'bridge', 'b'), subnet: '172.17.0.0/16', gateway: '172.17.0.1' },
      network('host', 'host', 'c'),
      network('none', 'null', 'd'),
    ];
  }

  hostGateway(): string {
    return '10.0.2.4';
  }

  nameservers(): readonly string[] {
    return ['10.0.2.3'];
  }

  #require(containerId: ContainerId): Sandbox {
    const sandbox = this.#sandboxes.get(containerId);
    invariant(sandbox !== undefined, 'the sandbox is not live');
    return sandbox;
  }

  #replace(sandbox: Sandbox, endpoints: readonly Endpoint[]): Sandbox {
    const next = { ...sandbox, endpoints };
    this.#sandboxes.set(sandbox.containerId, next);
    return next;
  }

  #plan(request: EndpointRequest, present: readonly Endpoint[]): Endpoint {
    const { networkId, macAddress, ipAddress, names } = request;
    const network = this.#networks.get(networkId);
    if (network === undefined) throw networkMissing(networkId);
    const wanted = macAddress === undefined ? undefined : parseMacAddress(macAddress);
    if (macAddress !== undefined && wanted === undefined) throw invalidMacAddress(macAddress);
    if (ipAddress !== undefined && !network.pool.reserve(ipAddress)) throw addressInUse();
    const address = ipAddress ?? network.pool.allocate() ?? '';
    return {
      networkName: network.name,
      networkId,
      endpointId: randomId(),
      ipAddress: address,
      prefixLength: network.prefix.prefixLength,
      gateway: formatIpv4(network.prefix.address),
      macAddress: wanted ?? macOfAddress(parseIpv4(address) ?? 0),
      interfaceName: `eth${present.length}`,
      names,
    };
  }

  #release(endpoints: readonly Endpoint[]): void {
    for (const { networkId, ipAddress } of endpoints) {
      this.#networks.get(networkId)?.pool.release(ipAddress);
    }
  }

  #publish(request: SandboxRequest, endpoint: Endpoint | undefined): PublishedPort[] {
    if (endpoint === undefined) return [];
    const ports: PublishedPort[] = [];
    for (const wanted of request.publish) {
      const addresses = wanted.hostIp === '' ? ['0.0.0.0', '::'] : [wanted.hostIp];
      const hostPort = this.#hostPortFor(wanted, addresses, ports);
      for (const hostIp of addresses) {
        if (this.#isTaken({ ...wanted, hostIp, hostPort }, ports)) {
          throw portAllocated({
            endpointName: request.containerName ?? shortId(request.containerId),
            endpointId: endpoint.endpointId,
            protocol: wanted.protocol,
            hostIp,
            hostPort,
            containerIp: endpoint.ipAddress,
            containerPort: wanted.containerPort,
          });
        }
        const { protocol, containerPort } = wanted;
        ports.push({ protocol, containerPort, hostIp, hostPort });
      }
    }
    return ports;
  }

  #hostPortFor(
    wanted: PublishRequest,
    addresses: readonly string[],
    others: readonly PublishedPort[],
  ): number {
    const { hostPort, lastHostPort = hostPort } = wanted;
    if (hostPort === 0) return this.#nextRandomPort++;
    for (let port = hostPort; port < lastHostPort; port++) {
      const isFree = addresses.every(
        (hostIp) => !this.#isTaken({ ...wanted, hostIp, hostPort: port }, others),
      );
      if (isFree) return port;
    }
    return lastHostPort;
  }

  #isTaken(wanted: PublishRequest, others: readonly PublishedPort[]): boolean {
    const all = [...[...this.#sandboxes.values()].flatMap(({ published }) => published), ...others];
    return all.some(
      (port) =>
        port.protocol === wanted.protocol &&
        port.hostPort === wanted.hostPort &&
        port.hostIp === wanted.hostIp,
    );
  }
}

function wantedEndpoints(request: SandboxRequest): readonly EndpointRequest[] {
  if (request.mode === 'none') return [];
  const { macAddress } = request;
  const mac = macAddress === undefined ? {} : { macAddress };
  return request.networks ?? [{ networkId: BRIDGE_ID, names: [], ...mac }];
}
