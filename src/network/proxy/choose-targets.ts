/** Where a connection that arrived at the proxy leads. Pure. */
import { formatIpv4, parsePrefix, prefixesOverlap } from '../../sys/netlink/ipv4.ts';
import type { InternetPeer } from '../../sys/transparent-socket.ts';
import type { NetworkRecord } from '../network-record.ts';
import { HOST_GATE, RELAY_ADDRESS } from './proxy-rules.ts';

/** An address as the host dials it. */
export interface DialTarget {
  readonly host: string;
  readonly port: number;
}

/** What the decision depends on. */
export interface ProxyView {
  /** True when everything that is not for the host itself has another way. */
  readonly hasUplink: boolean;
  readonly hostAddress: string;
  /** Name servers of the host. */
  readonly resolvers: readonly string[];
  readonly networks: readonly Pick<NetworkRecord, 'subnet' | 'internal'>[];
  readonly isGranted: (ipAddress: string) => boolean;
}

const DNS_PORT = 53;

/**
 * The addresses to try in order; none for a connection that must not be: to the host by a container that has not
 * asked for it, to another network of ours, or out of a network without a way out.
 */
export function chooseTargets(
  client: InternetPeer,
  wanted: InternetPeer,
  view: ProxyView,
): readonly DialTarget[] {
  const { address, port } = wanted;
  const host = formatIpv4(address);
  if (host === HOST_GATE) {
    if (!view.isGranted(formatIpv4(client.address))) return [];
    const places = ['127.0.0.1', '::1', view.hostAddress].filter((place) => place !== '');
    return places.map((place) => ({ host: place, port }));
  }
  if (view.hasUplink) return [];
  if (host === RELAY_ADDRESS) {
    if (port !== DNS_PORT) return [];
    return view.resolvers.map((resolver) => ({ host: resolver, port }));
  }
  const isOurs = view.networks.some((network) => contains(network.subnet, address));
  const isShutIn = view.networks.some(
    ({ internal, subnet }) => internal === true && contains(subnet, client.address),
  );
  const isOfHost = address >>> 24 === 127 || address >>> 24 === 0;
  return isOurs || isShutIn || isOfHost ? [] : [{ host, port }];
}

function contains(subnet: string | undefined, address: number): boolean {
  const prefix = parsePrefix(subnet ?? '');
  return prefix !== undefined && prefixesOverlap(prefix, { address, prefixLength: 32 });
}
