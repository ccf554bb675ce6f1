/** The driver of bridge networks: a bridge in the engine's namespace, a veth pair for each endpoint. */
import { closeSync, openSync } from 'node:fs';
import { randomId } from '../../shared/ids.ts';
import { formatIpv4, type Ipv4Prefix, parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { withNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import { AddressPool } from '../ipam/address-pool.ts';
import type { AttachRequest, EndpointDemand, NetworkDriver } from '../network-driver.ts';
import { invalidMacAddress, noFreeAddress } from '../network-errors.ts';
import { isPinned } from '../sandbox/namespace-pin.ts';
import type { Endpoint, NetworkRecord } from '../sandbox-service.ts';
import { macOfAddress, parseMacAddress } from './mac-address.ts';

/** A bridge that exists. */
export interface BridgeSettings {
  readonly network: Pick<NetworkRecord, 'id' | 'name'>;
  readonly bridgeIndex: number;
  /** The bridge's own address, which is the containers' gateway. */
  readonly address: Ipv4Prefix;
  readonly mtu: number;
}

/** Name of the interface inside of a container. */
const CONTAINER_LINK = 'eth0';

/** One bridge network. See `NetworkDriver` for the contract. */
export class BridgeNetwork implements NetworkDriver {
  readonly #settings: BridgeSettings;
  readonly #pool: AddressPool;

  constructor(settings: BridgeSettings) {
    this.#settings = settings;
    this.#pool = new AddressPool(settings.address, settings.address.address);
  }

  plan(demand: EndpointDemand): Endpoint {
    const { network, address: bridge } = this.#settings;
    const wantedMac = demand.macAddress === undefined ? undefined : checkedMac(demand.macAddress);
    const address = this.#pool.allocate();
    if (address === undefined) throw noFreeAddress(network.name, network.id);
    return {
      networkName: network.name,
      networkId: network.id,
      endpointId: randomId(),
      ipAddress: formatIpv4(address),
      prefixLength: bridge.prefixLength,
      gateway: formatIpv4(bridge.address),
      macAddress: wantedMac ?? macOfAddress(address),
    };
  }

  adopt(endpoint: Endpoint): void {
    this.#pool.reserve(parseIpv4(endpoint.ipAddress) ?? 0);
  }

  release(endpoint: Endpoint): void {
    this.#pool.release(parseIpv4(endpoint.ipAddress) ?? 0);
  }

  attach(request: AttachRequest): void {
    const { endpoint, netnsPath } = request;
    const linkName = hostLinkName(endpoint);
    const namespaceFd = openSync(netnsPath, 'r');
    try {
      RouteSocket.with((routes) => {
        routes.addVeth({
          name: linkName,
          mtu: this.#settings.mtu,
          peer: { name: CONTAINER_LINK, namespaceFd, macAddress: endpoint.macAddress },
        });
        try {
          configureInside(namespaceFd, endpoint);
          const { macAddress } = endpoint;
          routes.joinBridge({ linkName, bridgeIndex: this.#settings.bridgeIndex, macAddress });
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
      RouteSocket.with((routes) => routes.removeAddresses(CONTAINER_LINK)),
    );
  }
}

/** The near end's name: at most 15 bytes, and found again from the endpoint. */
export function hostLinkName(endpoint: Pick<Endpoint, 'endpointId'>): string {
  return `veth${endpoint.endpointId.slice(0, 10)}`;
}

function configureInside(namespaceFd: number, endpoint: Endpoint): void {
  withNetworkNamespace(namespaceFd, () =>
    RouteSocket.with((routes) =>
      routes.configureContainerLink({
        linkName: CONTAINER_LINK,
        address: {
          address: parseIpv4(endpoint.ipAddress) ?? 0,
          prefixLength: endpoint.prefixLength,
        },
        gateway: parseIpv4(endpoint.gateway) ?? 0,
      }),
    ),
  );
}

function checkedMac(text: string): string {
  const macAddress = parseMacAddress(text);
  if (macAddress === undefined) throw invalidMacAddress(text);
  return macAddress;
}
