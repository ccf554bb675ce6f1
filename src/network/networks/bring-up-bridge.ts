/** Makes the bridge of a stored network, or takes over the one that an earlier engine left. */
import { parsePrefix } from '../../sys/netlink/ipv4.ts';
import { type Ipv6Prefix, parseIpv6Prefix } from '../../sys/netlink/ipv6.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { BridgeNetwork } from '../bridge/bridge-network.ts';
import type { RuleSettings } from '../bridge/bridge-rules.ts';
import { keepCarrier, keeperOf } from '../bridge/keep-carrier.ts';
import { macOfAddress } from '../bridge/mac-address.ts';
import { bridgeNameTaken, networkMissing } from '../network-errors.ts';
import type { AddressPlan, NetworkRecord } from '../network-record.ts';
import {
  allowsNeighbours,
  bridgeNameOf,
  interfacePrefixOf,
  masquerades,
  mtuOf,
} from './network-options.ts';

/** How a bridge comes up. */
export interface BringUpOptions {
  /** MTU of networks that ask for none. */
  readonly defaultMtu: number;
  /** True for a network that is made now: a bridge of its name belongs to somebody else. */
  readonly fresh: boolean;
}

/** The driver of the network. `forbidden` for a bridge name that is taken. */
export function bringUpBridge(record: NetworkRecord, options: BringUpOptions): BridgeNetwork {
  const mtu = mtuOf(record.options) ?? options.defaultMtu;
  const address = parsePrefix(withLength(record.gateway ?? '', record.subnet ?? ''));
  if (address === undefined) throw networkMissing(record.name);
  const ipv6 = ipv6Settings(record.ipv6);
  const name = bridgeNameOf(record);
  const bridgeIndex = RouteSocket.with((routes) => {
    const present = routes.findLink(name);
    if (present !== undefined && options.fresh) throw bridgeNameTaken(name);
    const macAddress = macOfAddress(address.address);
    const link = present ?? routes.addBridge({ name, mtu, macAddress, address });
    try {
      if (ipv6 !== undefined) routes.addIpv6Address(name, ipv6.address);
      keepCarrier(routes, { index: link.index, mtu }, keeperOf(record.id));
    } catch (error) {
      if (present === undefined) routes.deleteLink(name);
      throw error;
    }
    return link.index;
  });
  const reserved = [record.auxAddresses, record.ipv6?.auxAddresses].flatMap((addresses) =>
    Object.values(addresses ?? {}),
  );
  return new BridgeNetwork({
    network: record,
    bridgeIndex,
    address,
    mtu,
    reserved,
    internal: record.internal === true,
    isolated: !allowsNeighbours(record.options),
    interfacePrefix: interfacePrefixOf(record.options),
    range: record.ipRange === undefined ? undefined : parsePrefix(record.ipRange),
    ...(ipv6 === undefined ? {} : { ipv6 }),
  });
}

/** Removes the interfaces of a network. Idempotent. */
export function takeDownBridge(record: NetworkRecord): void {
  RouteSocket.with((routes) => {
    routes.deleteLink(keeperOf(record.id).port);
    routes.deleteLink(bridgeNameOf(record));
  });
}

/** What the packet filter has to know of a network. */
export function ruleSettings(record: NetworkRecord): RuleSettings {
  return {
    bridgeName: bridgeNameOf(record),
    subnets: [record.subnet, record.ipv6?.subnet].filter((subnet) => subnet !== undefined),
    internal: record.internal === true,
    masquerade: masquerades(record.options),
    neighbours: allowsNeighbours(record.options),
  };
}

/** The bridge's own IPv6 address and the range that endpoints' are chosen from. */
export function ipv6Settings(
  plan: AddressPlan | undefined,
): { address: Ipv6Prefix; range: Ipv6Prefix | undefined } | undefined {
  if (plan === undefined) return undefined;
  const address = parseIpv6Prefix(withLength(plan.gateway, plan.subnet));
  if (address === undefined) return undefined;
  return { address, range: parseIpv6Prefix(plan.ipRange ?? '') };
}

/** The bridge's own address with the length of its network. */
function withLength(gateway: string, subnet: string): string {
  return `${gateway}/${subnet.split('/')[1]}`;
}
