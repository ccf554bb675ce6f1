/** Sandboxes in memory: addresses and ports are handed out by the same rules, nothing touches the kernel. */
import { type ContainerId, type NetworkId, randomId, shortId } from '../../shared/ids.ts';
import { formatIpv4, type Ipv4Prefix, parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { macOfAddress, parseMacAddress } from '../bridge/mac-address.ts';
import { AddressPool } from '../ipam/address-pool.ts';
import { invalidMacAddress, portAllocated } from '../network-errors.ts';
import type {
  Endpoint,
  NetworkRecord,
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

export class FakeSandboxService implements SandboxService {
  readonly #pool = new AddressPool(BRIDGE, BRIDGE.address);
  readonly #sandboxes = new Map<ContainerId, Sandbox>();
  #nextRandomPort = FIRST_RANDOM_PORT;

  async create(request: SandboxRequest): Promise<Sandbox> {
    const present = this.#sandboxes.get(request.containerId);
    if (present !== undefined) return present;
    const { containerId } = request;
    const endpoints = request.mode === 'bridge' ? [this.#plan(request.macAddress)] : [];
    try {
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

  nameservers(): readonly string[] {
    return ['10.0.2.3'];
  }

  #plan(macAddress: string | undefined): Endpoint {
    const wanted = macAddress === undefined ? undefined : parseMacAddress(macAddress);
    if (macAddress !== undefined && wanted === undefined) throw invalidMacAddress(macAddress);
    const address = this.#pool.allocate() ?? 0;
    return {
      networkName: 'bridge',
      networkId: BRIDGE_ID,
      endpointId: randomId(),
      ipAddress: formatIpv4(address),
      prefixLength: BRIDGE.prefixLength,
      gateway: formatIpv4(BRIDGE.address),
      macAddress: wanted ?? macOfAddress(address),
    };
  }

  #release(endpoints: readonly Endpoint[]): void {
    for (const { ipAddress } of endpoints) this.#pool.release(parseIpv4(ipAddress) ?? 0);
  }

  #publish(request: SandboxRequest, endpoint: Endpoint | undefined): PublishedPort[] {
    if (endpoint === undefined) return [];
    const ports: PublishedPort[] = [];
    for (const wanted of request.publish) {
      const hostPort = wanted.hostPort === 0 ? this.#nextRandomPort++ : wanted.hostPort;
      for (const hostIp of wanted.hostIp === '' ? ['0.0.0.0', '::'] : [wanted.hostIp]) {
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
