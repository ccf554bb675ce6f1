/** The endpoints of one sandbox on their several networks. */
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { NetworkId } from '../../shared/ids.ts';
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { parseIpv6 } from '../../sys/netlink/ipv6.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { withNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import { linkInside } from '../bridge/link-inside.ts';
import { interfaceNameTaken } from '../network-errors.ts';
import type { NetworkSet } from '../networks/network-set.ts';
import type { Endpoint, EndpointRequest, SandboxRequest } from '../sandbox-service.ts';

/** Where endpoints get their drivers from. */
export type EndpointDrivers = Pick<NetworkSet, 'driver' | 'tryDriver'>;

/** The endpoints that a request asks for: one on the default network when it names none. */
export function wantedEndpoints(
  request: SandboxRequest,
  defaultId: NetworkId,
): readonly EndpointRequest[] {
  if (request.mode === 'none') return [];
  const { macAddress } = request;
  const byDefault = macAddress === undefined ? {} : { macAddress };
  return request.networks ?? [{ networkId: defaultId, names: [], ...byDefault }];
}

/** Reserves the addresses of an endpoint whose interface comes after those of `present`. */
export function planEndpoint(
  drivers: EndpointDrivers,
  request: EndpointRequest,
  present: readonly Endpoint[],
): Endpoint {
  const { networkId, ipAddress, ipv6Address, macAddress, names } = request;
  const { links = [], gatewayPriority, sysctls = [] } = request;
  const driver = drivers.driver(networkId);
  const planned = driver.plan({
    interfaceName: interfaceNameFor(request, driver.interfacePrefix, present),
    ...(ipAddress === undefined ? {} : { ipAddress }),
    ...(ipv6Address === undefined ? {} : { ipv6Address }),
    ...(macAddress === undefined ? {} : { macAddress }),
  });
  return {
    ...planned,
    names,
    ...(links.length === 0 ? {} : { links }),
    ...(sysctls.length === 0 ? {} : { sysctls }),
    ...(gatewayPriority === undefined ? {} : { gatewayPriority }),
  };
}

/** Reserves the addresses of all endpoints of a new sandbox; `undo` gives them back. */
export function planEndpoints(
  drivers: EndpointDrivers,
  requests: readonly EndpointRequest[],
  undo: CleanupStack,
): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const request of requests) {
    const endpoint = planEndpoint(drivers, request, endpoints);
    undo.defer(() => releaseEndpoints(drivers, [endpoint]));
    endpoints.push(endpoint);
  }
  return endpoints;
}

/** Gives addresses back. Idempotent. */
export function releaseEndpoints(drivers: EndpointDrivers, endpoints: readonly Endpoint[]): void {
  for (const endpoint of endpoints) drivers.tryDriver(endpoint.networkId)?.release(endpoint);
}

/**
 * The endpoint that gives the default route: the one with the highest priority, then the one whose network's
 * name comes first, as with Docker. Undefined when no network leads outside.
 */
export function gatewayEndpoint(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return endpoints.filter(({ gateway }) => gateway !== '').toSorted(byPrecedence)[0];
}

/** The endpoint that gives the IPv6 default route, by the same rules. */
export function ipv6GatewayEndpoint(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return endpoints.filter(({ ipv6 }) => (ipv6?.gateway ?? '') !== '').toSorted(byPrecedence)[0];
}

/** Lets the default routes go through the endpoints that are to give them now, when that changed. */
export function moveGateways(
  netnsPath: string,
  before: readonly Endpoint[],
  after: readonly Endpoint[],
): void {
  const next = changed(gatewayEndpoint(before), gatewayEndpoint(after));
  const next6 = changed(ipv6GatewayEndpoint(before), ipv6GatewayEndpoint(after));
  const gateway = parseIpv4(next?.gateway ?? '');
  const gateway6 = parseIpv6(next6?.ipv6?.gateway ?? '');
  if (gateway === undefined && gateway6 === undefined) return;
  withNetworkNamespace(netnsPath, () =>
    RouteSocket.with((routes) => {
      if (next && gateway !== undefined) routes.replaceDefaultRoute(linkInside(next), gateway);
      if (next6 === undefined || gateway6 === undefined) return;
      const others = after.filter((one) => one !== next6).map(linkInside);
      routes.moveIpv6DefaultRoute(linkInside(next6), gateway6, others);
    }),
  );
}

/** `after`, unless it is what was before. */
function changed(before: Endpoint | undefined, after: Endpoint | undefined): Endpoint | undefined {
  return after?.endpointId === before?.endpointId ? undefined : after;
}

function byPrecedence(left: Endpoint, right: Endpoint): number {
  return (
    (right.gatewayPriority ?? 0) - (left.gatewayPriority ?? 0) ||
    (left.networkName < right.networkName ? -1 : 1)
  );
}

function interfaceNameFor(
  { interfaceName }: EndpointRequest,
  prefix: string,
  present: readonly Endpoint[],
): string {
  const taken = new Set(present.map(linkInside));
  if (interfaceName !== undefined) {
    if (taken.has(interfaceName)) throw interfaceNameTaken(interfaceName);
    return interfaceName;
  }
  let number = 0;
  while (taken.has(`${prefix}${number}`)) number++;
  return `${prefix}${number}`;
}
