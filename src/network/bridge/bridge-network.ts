/** The driver of bridge networks: a bridge in the engine's namespace, a veth pair for each endpoint. */
import { closeSync, openSync } from 'node:fs';
import { randomId } from '../../shared/ids.ts';
import { formatIpv4, type Ipv4Prefix, parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { withNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import { AddressPool } from '../ipam/address-pool.ts';
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
import { macOfAddress, parseMacAddress } from './mac-address.ts';

/** A bridge that exists. */
export interface BridgeSettings {
  readonly network: Pick<NetworkRecord, 'id' | 'name'>;
  readonly bridgeIndex: number;
  /** The bridge's own address, which is the containers' gateway. */
  readonly address: Ipv4Prefix;
  readonly mtu: number;
  /** Part of the network that addresses are chosen from. */
  readonly range?: Ipv4Prefix;
  /** Addresses that are never given out. */
  readonly reserved?: readonly number[];
  /** True for a network without a way out: its endpoints have no gateway. */
  readonly internal?: boolean;
  /** True keeps the members from each other. */
  readonly isolated?: boolean;
}

/** Name of the interface of endpoints that were planned before they carried one. */
const FIRST_LINK = 'eth0';

/** One bridge network. See `NetworkDriver` for the contract. */
export class BridgeNetwork implements NetworkDriver {
  readonly #settings: BridgeSettings;
  readonly #pool: AddressPool;
  readonly #endpointIds = new Set<string>();

  constructor(settings: BridgeSettings) {
    const { address, reserved = [], range } = settings;
    this.#settings = settings;
    this.#pool = new AddressPool(address, [address.address, ...reserved], range);
  }

  plan(demand: EndpointDemand): Endpoint {
    const { network, address: bridge } = this.#settings;
    const wantedMac = demand.macAddress === undefined ? undefined : checkedMac(demand.macAddress);
    const address = this.#chooseAddress(demand.ipAddress);
    const endpointId = randomId();
    this.#endpointIds.add(endpointId);
    return {
      networkName: network.name,
      networkId: network.id,
      endpointId,
      ipAddress: formatIpv4(address),
      prefixLength: bridge.prefixLength,
      gateway: this.#settings.internal === true ? '' : formatIpv4(bridge.address),
      macAddress: wantedMac ?? macOfAddress(address),
      interfaceName: demand.interfaceName,
    };
  }

  adopt(endpoint: Endpoint): void {
    this.#endpointIds.add(endpoint.endpointId);
    this.#pool.reserve(parseIpv4(endpoint.ipAddress) ?? 0);
  }

  release(endpoint: Endpoint): void {
    if (!this.#endpointIds.delete(endpoint.endpointId)) return;
    this.#pool.release(parseIpv4(endpoint.ipAddress) ?? 0);
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
          configureInside(namespaceFd, request);
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
    withNetworkNamespace(request.netnsPath, () =>
      RouteSocket.with((routes) => routes.removeAddresses(linkInside(request.endpoint))),
    );
  }

  unplug(endpoint: Endpoint): void {
    RouteSocket.with((routes) => routes.deleteLink(hostLinkName(endpoint)));
  }

  #chooseAddress(wanted: string | undefined): number {
    const { network } = this.#settings;
    if (wanted === undefined) {
      const address = this.#pool.allocate();
      if (address === undefined) throw noFreeAddress(network.name, network.id);
      return address;
    }
    const address = parseIpv4(wanted);
    if (address === undefined || !this.#pool.contains(address)) throw addressOutOfRange(wanted);
    if (!this.#pool.reserve(address)) throw addressInUse();
    return address;
  }
}

/** The near end's name: at most 15 bytes, and found again from the endpoint. */
export function hostLinkName(endpoint: Pick<Endpoint, 'endpointId'>): string {
  return `veth${endpoint.endpointId.slice(0, 10)}`;
}

function linkInside(endpoint: Endpoint): string {
  return endpoint.interfaceName ?? FIRST_LINK;
}

function configureInside(namespaceFd: number, { endpoint, isGateway }: JoinRequest): void {
  const gateway = isGateway ? parseIpv4(endpoint.gateway) : undefined;
  withNetworkNamespace(namespaceFd, () =>
    RouteSocket.with((routes) =>
      routes.configureContainerLink({
        linkName: linkInside(endpoint),
        address: {
          address: parseIpv4(endpoint.ipAddress) ?? 0,
          prefixLength: endpoint.prefixLength,
        },
        ...(gateway === undefined ? {} : { gateway }),
      }),
    ),
  );
}

function checkedMac(text: string): string {
  const macAddress = parseMacAddress(text);
  if (macAddress === undefined) throw invalidMacAddress(text);
  return macAddress;
}
