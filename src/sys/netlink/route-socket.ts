/** Links, addresses and routes of one network namespace. */
import { errnoCode } from '../system-errors.ts';
import {
  addAddressRequest,
  addDefaultRouteRequest,
  decodeAddress,
  decodeRoute,
  deleteAddressRequest,
  type LinkAddress,
  listAddressesRequest,
  listRoutesRequest,
  type Route,
  replaceDefaultRouteRequest,
} from './address-messages.ts';
import type { Ipv4Prefix } from './ipv4.ts';
import type { Ipv6Prefix } from './ipv6.ts';
import {
  addIpv6AddressRequest,
  deleteIpv6AddressRequest,
  deleteIpv6DefaultRouteRequest,
  ipv6DefaultRouteRequest,
} from './ipv6-messages.ts';
import {
  addBridgeRequest,
  addVethRequest,
  decodeLink,
  deleteLinkRequest,
  getLinkRequest,
  isolatePortRequest,
  type Link,
  LOOPBACK_INDEX,
  linkUpRequest,
  listLinksRequest,
  setMasterRequest,
  type VethRequest,
} from './link-messages.ts';
import { pinToPortRequest } from './neighbour-messages.ts';
import { linkNotReported } from './netlink-errors.ts';
import type { NetlinkMessage, NetlinkRequest } from './netlink-message.ts';
import { NetlinkSocket } from './netlink-socket.ts';
import { addLocalRouteRequest, addRuleRequest, type RoutePolicy } from './policy-messages.ts';

/** How an interface of a container is set up. */
export interface ContainerLinkSettings {
  readonly linkName: string;
  readonly address: Ipv4Prefix;
  /** The default route; none when absent. */
  readonly gateway?: number;
  readonly ipv6?: {
    readonly address: Ipv6Prefix;
    /** The IPv6 default route; none when absent. */
    readonly gateway?: bigint;
  };
}

/**
 * Synchronous verbs on the interfaces of the network namespace that the thread was in when `open` was called.
 * Refusals of the kernel are thrown with the errno's name in `details.code`. Close it after use.
 */
export class RouteSocket {
  readonly #socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** Opens a socket in the thread's current network namespace. */
  static open(): RouteSocket {
    return new RouteSocket(NetlinkSocket.open());
  }

  /** Opens a socket for the duration of `use`. */
  static with<T>(use: (socket: RouteSocket) => T): T {
    const socket = RouteSocket.open();
    try {
      return use(socket);
    } finally {
      socket.close();
    }
  }

  close(): void {
    this.#socket.close();
  }

  /** The link of that name, undefined when there is none. */
  findLink(name: string): Link | undefined {
    try {
      return collect(this.#socket.request(getLinkRequest(name)), decodeLink)[0];
    } catch (error) {
      if (errnoCode(error) === 'ENODEV') return undefined;
      throw error;
    }
  }

  listLinks(): Link[] {
    return collect(this.#socket.request(listLinksRequest()), decodeLink);
  }

  listAddresses(): LinkAddress[] {
    return collect(this.#socket.request(listAddressesRequest()), decodeAddress);
  }

  /** Routes of the main table. */
  listRoutes(): Route[] {
    return collect(this.#socket.request(listRoutesRequest()), decodeRoute);
  }

  /** A new bridge that is up and has `address`. EEXIST when the name is taken; then nothing changed. */
  addBridge(bridge: {
    readonly name: string;
    readonly mtu: number;
    readonly macAddress: string;
    readonly address: Ipv4Prefix;
  }): Link {
    this.#socket.request(addBridgeRequest(bridge));
    const link = this.#require(bridge.name);
    this.#socket.request(addAddressRequest({ linkIndex: link.index, prefix: bridge.address }));
    return link;
  }

  /** A new veth pair; the near end is up. EEXIST when either name is taken; then nothing changed. */
  addVeth(veth: VethRequest): void {
    this.#socket.request(addVethRequest(veth));
  }

  /**
   * Makes a link a port of a bridge and binds `macAddress` to that port. Do it when both ends of the veth pair
   * are up: a port that has its carrier forwards from the first frame on.
   */
  joinBridge(port: {
    readonly linkName: string;
    readonly bridgeIndex: number;
    readonly macAddress: string;
  }): void {
    const link = this.#require(port.linkName);
    this.#socket.transact([
      setMasterRequest(link, port.bridgeIndex),
      pinToPortRequest(link.index, port.macAddress),
    ]);
  }

  /** Takes all IPv4 addresses of a link away, so that it answers for them no more. Nothing to do is success. */
  removeAddresses(linkName: string): void {
    const link = this.findLink(linkName);
    if (link === undefined) return;
    const addresses = this.listAddresses().filter((address) => address.linkIndex === link.index);
    this.#socket.transact(addresses.map(deleteAddressRequest));
  }

  /** Removes a link; false when it was gone already. */
  deleteLink(name: string): boolean {
    try {
      this.#socket.request(deleteLinkRequest(name));
      return true;
    } catch (error) {
      if (errnoCode(error) === 'ENODEV') return false;
      throw error;
    }
  }

  /** Brings `lo` up, with its own addresses. */
  setLoopbackUp(): void {
    this.#socket.request(linkUpRequest(LOOPBACK_INDEX));
  }

  /** Makes an IPv4 address one of this namespace, without a network around it. Idempotent. */
  addLoopbackAddress(address: number): void {
    const prefix = { address, prefixLength: 32 };
    this.#tolerating('EEXIST', () =>
      this.#socket.request(addAddressRequest({ linkIndex: LOOPBACK_INDEX, prefix })),
    );
  }

  /** Brings a link up. */
  setLinkUp(name: string): void {
    this.#socket.request(linkUpRequest(this.#require(name).index));
  }

  /** Brings loopback and the container's link up and gives the link its address and the default route. */
  configureContainerLink(settings: ContainerLinkSettings): void {
    const linkIndex = this.#require(settings.linkName).index;
    this.#socket.transact([
      linkUpRequest(LOOPBACK_INDEX),
      addAddressRequest({ linkIndex, prefix: settings.address }),
      linkUpRequest(linkIndex),
      ...(settings.gateway === undefined
        ? []
        : [addDefaultRouteRequest(settings.gateway, linkIndex)]),
      ...ipv6Requests(linkIndex, settings.ipv6),
    ]);
  }

  /** Gives a link an IPv6 address. Having it already is success. */
  addIpv6Address(linkName: string, prefix: Ipv6Prefix): void {
    const linkIndex = this.#require(linkName).index;
    this.#tolerating('EEXIST', () =>
      this.#socket.request(addIpv6AddressRequest({ linkIndex, prefix })),
    );
  }

  /** Takes an IPv6 address of a link away. Nothing to do is success. */
  removeIpv6Address(linkName: string, prefix: Ipv6Prefix): void {
    const link = this.findLink(linkName);
    if (link === undefined) return;
    this.#tolerating('EADDRNOTAVAIL', () =>
      this.#socket.request(deleteIpv6AddressRequest({ linkIndex: link.index, prefix })),
    );
  }

  /** Makes the IPv6 default route go through `gateway` of one link, and through none of the `others`. */
  moveIpv6DefaultRoute(linkName: string, gateway: bigint, others: readonly string[]): void {
    for (const name of others) {
      const link = this.findLink(name);
      if (link === undefined) continue;
      // Several IPv6 default routes can be there at once: adding one does not replace that of another link.
      this.#tolerating('ESRCH', () =>
        this.#socket.request(deleteIpv6DefaultRouteRequest(link.index)),
      );
    }
    const linkIndex = this.#require(linkName).index;
    this.#socket.request(ipv6DefaultRouteRequest('replace', gateway, linkIndex));
  }

  /** Makes the default route go through `gateway`, whatever it was before. */
  replaceDefaultRoute(linkName: string, gateway: number): void {
    const linkIndex = this.#require(linkName).index;
    this.#socket.request(replaceDefaultRouteRequest(gateway, linkIndex));
  }

  /** Keeps a port of a bridge from the bridge's other isolated ports. */
  isolatePort(linkName: string): void {
    this.#socket.request(isolatePortRequest(this.#require(linkName)));
  }

  /** Hands the IPv4 packets of a policy to the sockets here, whatever address they are for. Idempotent. */
  deliverHere(policy: RoutePolicy): void {
    for (const request of [addLocalRouteRequest(policy.table), addRuleRequest(policy)]) {
      this.#tolerating('EEXIST', () => this.#socket.request(request));
    }
  }

  #tolerating(code: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (errnoCode(error) !== code) throw error;
    }
  }

  #require(name: string): Link {
    const link = collect(this.#socket.request(getLinkRequest(name)), decodeLink)[0];
    if (link === undefined) throw linkNotReported(name);
    return link;
  }
}

function collect<T>(
  messages: readonly NetlinkMessage[],
  decode: (message: NetlinkMessage) => T | undefined,
): T[] {
  return messages.map(decode).filter((value): value is T & {} => value !== undefined);
}

function ipv6Requests(
  linkIndex: number,
  ipv6: ContainerLinkSettings['ipv6'],
): readonly NetlinkRequest[] {
  if (ipv6 === undefined) return [];
  const { address: prefix, gateway } = ipv6;
  const route = gateway === undefined ? [] : [ipv6DefaultRouteRequest('add', gateway, linkIndex)];
  return [addIpv6AddressRequest({ linkIndex, prefix }), ...route];
}
