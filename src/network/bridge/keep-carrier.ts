/** Keeps a bridge awake while no container is attached to it. */
import { closeSync, openSync } from 'node:fs';
import type { RouteSocket } from '../../sys/netlink/route-socket.ts';

/** A port that is always there, and its other end, which nobody uses. */
export interface Keeper {
  readonly port: string;
  readonly end: string;
}

/** The default bridge's. */
export const DEFAULT_KEEPER: Keeper = { port: 'wherry-keep0', end: 'wherry-keep1' };

const END_MAC = '02:42:00:00:00:01';

/** The keeper of a user-defined network, by the network's id. */
export function keeperOf(networkId: string): Keeper {
  const suffix = networkId.slice(0, 12);
  return { port: `kp${suffix}`, end: `ke${suffix}` };
}

/**
 * A bridge without a live port has no carrier. The kernel then stops its queue, and starts it again in the
 * background some time after the next port has come: the first packets of that container would be lost, and
 * be sent again by TCP after a second, by a resolver after five. Idempotent.
 */
export function keepCarrier(
  routes: RouteSocket,
  bridge: { readonly index: number; readonly mtu: number },
  keeper: Keeper,
): void {
  if (routes.findLink(keeper.port) === undefined) makePair(routes, bridge.mtu, keeper);
  routes.setLinkUp(keeper.end);
  routes.joinBridge({
    linkName: keeper.port,
    bridgeIndex: bridge.index,
    macAddress: END_MAC,
  });
}

function makePair(routes: RouteSocket, mtu: number, keeper: Keeper): void {
  const namespaceFd = openSync('/proc/thread-self/ns/net', 'r');
  try {
    routes.addVeth({
      name: keeper.port,
      mtu,
      peer: { name: keeper.end, namespaceFd, macAddress: END_MAC },
    });
  } finally {
    closeSync(namespaceFd);
  }
}
