/** The driver of bridge networks: a bridge in the engine's namespace, a veth pair for each endpoint. */
import { closeSync, openSync } from 'node:fs';
import { randomId } from '../../shared/ids.ts';
import { formatIpv4, type Ipv4Prefix, parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { formatIpv6, type Ipv6Prefix } from '../../sys/netlink/ipv6.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { withNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import { type AddressPool, ipv4Pool, ipv6Pool } from '../ipam/address-pool.ts';
import type {
  AttachRequest,
  EndpointDemand,
  JoinRequest,
  NetworkDriver,
} from '../network-driver.ts';
import {
  addressInUse,
  addressOutOfRange,
  invalidMacAddress,
  noFreeAddress,
} from '../network-errors.ts';
import type { NetworkRecord } from '../network-record.ts';
import { isPinned } from '../sandbox/namespace-pin.ts';
import type { Endpoint } from '../sandbox-service.ts';
import { configureLink, linkInside, silenceLink } from './link-inside.ts';
import { macOfAddress, parseMacAddress } from './mac-address.ts';

/** A bridge that exists. */
export interface BridgeSettings {
  readonly network: Pick<NetworkRecord, 'id' | 'name'>;
  readonly bridgeIndex: number;
  /** The bridge's own address, which is the containers' gateway. */
  readonly address: Ipv4Prefix;
  readonly mtu: number;
  /** Part of the network that addresses are chosen from. */
  readonly range?: Ipv4Prefix | undefined;
  /** Addresses of both families that are never given out. */
  readonly reserved?: readonly string[];
  readonly ipv6?:
    | {
        /** The bridge's own IPv6 address, which is the containers' gateway. */
        readonly address: Ipv6Prefix;
        /** Part of the network that addresses are chosen from. */
        readonly range?: Ipv6Prefix | undefined;
      }
    | undefined;
  /** What names of interfaces begin with; `eth` when absent. */
  readonly interfacePrefix?: string;
  /** True for a network without a way out: its endpoints have no gateway. */
  readonly internal?: boolean;
  /** True keeps the members from each other. */
  readonly isolated?: boolean;
}

/** One bridge network. See `NetworkDriver` for the contract. */
export class BridgeNetwork implements NetworkDriver {
  readonly #settings: BridgeSettings;
  readonly #pool: AddressPool;
  readonly #ipv6Pool: AddressPool | undefined;
  readonly #endpointIds = new Set<string>();

  constructor(settings: BridgeSettings) {
    const { address, reserved = [], range, ipv6 } = settings;
    this.#settings = settings;
    const own = formatIpv4(address.address);
    this.#pool = ipv4Pool({ prefix: address, range, reserved: [own, ...reserved] });
    if (ipv6 === undefined) return;
    const gateway = formatIpv6(ipv6.address.address);
    this.#ipv6Pool = ipv6Pool({
      prefix: ipv6.address,
      range: ipv6.range,
      reserved: [gateway, ...reserved],
    });
  }

  get interfacePrefix(): string {
    return this.#settings.interfacePrefix ?? 'eth';
  }

  plan(demand: EndpointDemand): Endpoint {
    const { network, address: bridge, internal = false } = this.#settings;
    const wantedMac = demand.macAddress === undefined ? undefined : checkedMac(demand.macAddress);
    const ipAddress = this.#choose(this.#pool, demand.ipAddress, 'IPv4');
    const ipv6 = this.#planIpv6(demand.ipv6Address, ipAddress);
    const endpointId = randomId();
    this.#endpointIds.add(endpointId);
    return {
      networkName: network.name,
      networkId: network.id,
      endpointId,
      ipAddress,
      prefixLength: bridge.prefixLength,
      gateway: internal ? '' : formatIpv4(bridge.address),
      macAddress: wantedMac ?? macOfAddress(parseIpv4(ipAddress) ?? 0),
      interfaceName: demand.interfaceName,
      ...(ipv6 === undefined ? {} : { ipv6 }),
    };
  }

  adopt(endpoint: Endpoint): void {
    this.#endpointIds.add(endpoint.endpointId);
    this.#pool.reserve(endpoint.ipAddress);
    if (endpoint.ipv6 !== undefined) this.#ipv6Pool?.reserve(endpoint.ipv6.address);
  }

  release(endpoint: Endpoint): void {
    if (!this.#endpointIds.delete(endpoint.endpointId)) return;
    this.#pool.release(endpoint.ipAddress);
    if (endpoint.ipv6 !== undefined) this.#ipv6Pool?.release(endpoint.ipv6.address);
  }

  isUsed(): boolean {
    return this.#endpointIds.size > 0;
  }

  attach(request: JoinRequest): void {
    const { endpoint, netnsPath } = request;
    const linkName = hostLinkName(endpoint);
    const namespaceFd = openSync(netnsPath, 'r');
    try {
      RouteSocket.with((routes) => {
        routes.addVeth({
          name: linkName,
          mtu: this.#settings.mtu,
          peer: { name: linkInside(endpoint), namespaceFd, macAddress: endpoint.macAddress },
        });
        try {
          withNetworkNamespace(namespaceFd, () => configureLink(request));
          const { macAddress } = endpoint;
          routes.joinBridge({ linkName, bridgeIndex: this.#settings.bridgeIndex, macAddress });
          if (this.#settings.isolated === true) routes.isolatePort(linkName);
        } catch (error) {
          routes.deleteLink(linkName);
          throw error;
        }
      });
    } finally {
      closeSync(namespaceFd);
    }
  }

  /**
   * Takes the address away instead of deleting the link: that takes the kernel some 20 ms, in which this
   * program could do nothing else, while the end of the namespace deletes it in the background.
   */
  detach(request: AttachRequest): void {
    if (!isPinned(request.netnsPath)) return;
    withNetworkNamespace(request.netnsPath, () => silenceLink(request.endpoint));
  }

  unplug(endpoint: Endpoint): void {
    RouteSocket.with((routes) => routes.deleteLink(hostLinkName(endpoint)));
  }

  /** The IPv6 side of an endpoint; a refusal gives the IPv4 address back. */
  #planIpv6(wanted: string | undefined, ipAddress: string): Endpoint['ipv6'] {
    const { ipv6, internal = false } = this.#settings;
    try {
      if (ipv6 === undefined || this.#ipv6Pool === undefined) {
        if (wanted !== undefined) throw addressOutOfRange(wanted);
        return undefined;
      }
      return {
        address: this.#choose(this.#ipv6Pool, wanted, 'IPv6'),
        prefixLength: ipv6.address.prefixLength,
        gateway: internal ? '' : formatIpv6(ipv6.address.address),
      };
    } catch (error) {
      this.#pool.release(ipAddress);
      throw error;
    }
  }

  #choose(pool: AddressPool, wanted: string | undefined, family: 'IPv4' | 'IPv6'): string {
    if (wanted === undefined) {
      const address = pool.allocate();
      if (address === undefined) throw noFreeAddress(family, this.#settings.network);
      return address;
    }
    if (!pool.contains(wanted)) throw addressOutOfRange(wanted);
    if (!pool.reserve(wanted)) throw addressInUse();
    return pool.canonical(wanted);
  }
}

/** The near end's name: at most 15 bytes, and found again from the endpoint. */
export function hostLinkName(endpoint: Pick<Endpoint, 'endpointId'>): string {
  return `veth${endpoint.endpointId.slice(0, 10)}`;
}

function checkedMac(text: string): string {
  const macAddress = parseMacAddress(text);
  if (macAddress === undefined) throw invalidMacAddress(text);
  return macAddress;
}
