/** Keeps a bridge awake while no container is attached to it. */
import { closeSync, openSync } from 'node:fs';
import type { RouteSocket } from '../../sys/netlink/route-socket.ts';

/** A port that is always there, and its other end, which nobody uses. */
const KEEPER = { port: 'wherry-keep0', end: 'wherry-keep1', endMac: '02:42:00:00:00:01' } as const;

/**
 * A bridge without a live port has no carrier. The kernel then stops its queue, and starts it again in the
 * background some time after the next port has come: the first packets of that container would be lost, and
 * be sent again by TCP after a second, by a resolver after five. Idempotent.
 */
export function keepCarrier(routes: RouteSocket, bridge: { index: number; mtu: number }): void {
  if (routes.findLink(KEEPER.port) === undefined) makePair(routes, bridge.mtu);
  routes.setLinkUp(KEEPER.end);
  routes.joinBridge({
    linkName: KEEPER.port,
    bridgeIndex: bridge.index,
    macAddress: KEEPER.endMac,
  });
}

function makePair(routes: RouteSocket, mtu: number): void {
  const namespaceFd = openSync('/proc/thread-self/ns/net', 'r');
  try {
    routes.addVeth({
      name: KEEPER.port,
      mtu,
      peer: { name: KEEPER.end, namespaceFd, macAddress: KEEPER.endMac },
    });
  } finally {
    closeSync(namespaceFd);
  }
}
