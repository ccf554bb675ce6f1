/** IPv6 of the default bridge (`ipv6`, `fixed-cidr-v6`). */
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { DEFAULT_BRIDGE } from '../bridge/start-bridge.ts';
import type { AddressPlan, NetworkRecord } from '../network-record.ts';
import { ipv6Settings } from './bring-up-bridge.ts';
import { planIpv6, uniqueLocalPool } from './plan-ipv6.ts';

/** What was asked for: the network, or whichever is free. */
export interface BridgeIpv6Wish {
  readonly subnet?: string | undefined;
}

/**
 * Gives the bridge its addresses and says which: of the network asked for, else of the one it had, else of a free
 * one of this machine. Undefined when none are wanted. `forbidden` for a network that overlaps another one's.
 */
export function openBridgeIpv6(
  wish: BridgeIpv6Wish | undefined,
  bridge: NetworkRecord,
  networks: readonly NetworkRecord[],
): AddressPlan | undefined {
  const plan = wish === undefined ? undefined : planBridge(wish, bridge, networks);
  const before = ipv6Settings(bridge.ipv6)?.address;
  const address = ipv6Settings(plan)?.address;
  RouteSocket.with((routes) => {
    if (before !== undefined && bridge.ipv6?.gateway !== plan?.gateway) {
      routes.removeIpv6Address(DEFAULT_BRIDGE, before);
    }
    if (address !== undefined) routes.addIpv6Address(DEFAULT_BRIDGE, address);
  });
  return plan;
}

function planBridge(
  wish: BridgeIpv6Wish,
  bridge: NetworkRecord,
  networks: readonly NetworkRecord[],
): AddressPlan {
  const wanted = wish.subnet ?? bridge.ipv6?.subnet;
  const others = networks.filter(({ id }) => id !== bridge.id);
  const { subnet, gateway } = planIpv6(
    { auxAddresses: {}, ...(wanted === undefined ? {} : { subnet: wanted }) },
    {
      subnets: others.flatMap(({ ipv6 }) => ipv6?.subnet ?? []),
      pools: [uniqueLocalPool(bridge.id)],
    },
  );
  return { subnet, gateway };
}
