/** Makes the default bridge, or takes over the one that an earlier engine left. */

import type { SubnetPool } from '../../handshake/host-facts.ts';
import type { Logger } from '../../shared/logger.ts';
import { formatPrefix, type Ipv4Prefix } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { choosePrefix } from '../ipam/choose-prefix.ts';
import { writeSetting } from '../sandbox/namespace-settings.ts';
import { DEFAULT_KEEPER, keepCarrier } from './keep-carrier.ts';
import { macOfAddress } from './mac-address.ts';

/** What the bridge should be. */
export interface BridgeDemand {
  /** `bip`: address and length that the user asked for. */
  readonly bridgeAddress: string | undefined;
  /** Subnet of an earlier start, which is kept while it collides with nothing. */
  readonly previousSubnet: string | undefined;
  /** Networks of the host, as `a.b.c.d/n`. */
  readonly hostRoutes: readonly string[];
  /** Pools to choose the network from; Docker's when there is none. */
  readonly pools: readonly SubnetPool[];
  readonly mtu: number;
  readonly logger: Logger;
}

/** A bridge that is up. */
export interface StartedBridge {
  readonly index: number;
  readonly address: Ipv4Prefix;
}

/** Docker's name for the default bridge. */
export const DEFAULT_BRIDGE = 'docker0';

const FORWARDING = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'];

/** Brings the bridge up and lets the kernel forward. */
export function startBridge(demand: BridgeDemand): StartedBridge {
  const bridge = RouteSocket.with((routes) => {
    routes.setLoopbackUp();
    const started = adoptBridge(routes, demand) ?? makeBridge(routes, demand);
    try {
      keepCarrier(routes, { index: started.index, mtu: demand.mtu }, DEFAULT_KEEPER);
    } catch (error) {
      routes.deleteLink(DEFAULT_KEEPER.port);
      throw error;
    }
    return started;
  });
  const refusals = FORWARDING.flatMap((path) => writeSetting({ path, value: '1' }));
  for (const refusal of refusals) {
    demand.logger.warn('containers have no way out: the kernel does not forward', { refusal });
  }
  return bridge;
}

/** Containers of an earlier engine use the bridge: its address stays whatever is asked for now. */
function adoptBridge(routes: RouteSocket, demand: BridgeDemand): StartedBridge | undefined {
  const link = routes.findLink(DEFAULT_BRIDGE);
  if (link === undefined) return undefined;
  const address = routes.listAddresses().find(({ linkIndex }) => linkIndex === link.index)?.prefix;
  if (address === undefined) {
    routes.deleteLink(DEFAULT_BRIDGE);
    return undefined;
  }
  const wanted = demand.bridgeAddress;
  if (wanted !== undefined && wanted !== formatPrefix(address)) {
    const present = formatPrefix(address);
    demand.logger.warn('bip takes effect when the machine starts anew', { wanted, present });
  }
  return { index: link.index, address };
}

function makeBridge(routes: RouteSocket, demand: BridgeDemand): StartedBridge {
  const ownNetworks = [
    ...routes.listAddresses().map(({ prefix }) => formatPrefix(prefix)),
    ...routes.listRoutes().map(({ destination }) => formatPrefix(destination)),
  ];
  const address = choosePrefix({
    bridgeAddress: demand.bridgeAddress,
    preferred: demand.previousSubnet,
    occupied: [...demand.hostRoutes, ...ownNetworks],
    pools: demand.pools,
  });
  const link = routes.addBridge({
    name: DEFAULT_BRIDGE,
    mtu: demand.mtu,
    macAddress: macOfAddress(address.address),
    address,
  });
  return { index: link.index, address };
}
