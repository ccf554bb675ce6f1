/** The endpoints of one sandbox on their several networks. */
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { NetworkId } from '../../shared/ids.ts';
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { withNetworkNamespace } from '../../sys/ns/network-namespace.ts';
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
  const { networkId, ipAddress, macAddress, names, links = [], gatewayPriority } = request;
  const planned = drivers.driver(networkId).plan({
    interfaceName: freeInterfaceName(present),
    ...(ipAddress === undefined ? {} : { ipAddress }),
    ...(macAddress === undefined ? {} : { macAddress }),
  });
  return {
    ...planned,
    names,
    ...(links.length === 0 ? {} : { links }),
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
  return endpoints
    .filter(({ gateway }) => gateway !== '')
    .toSorted(
      (left, right) =>
        (right.gatewayPriority ?? 0) - (left.gatewayPriority ?? 0) ||
        (left.networkName < right.networkName ? -1 : 1),
    )[0];
}

/** Lets the default route go through the endpoint that is to give it now, when that changed. */
export function moveGateway(
  netnsPath: string,
  before: readonly Endpoint[],
  after: readonly Endpoint[],
): void {
  const next = gatewayEndpoint(after);
  if (next === undefined || next.endpointId === gatewayEndpoint(before)?.endpointId) return;
  const gateway = parseIpv4(next.gateway);
  if (gateway === undefined) return;
  withNetworkNamespace(netnsPath, () =>
    RouteSocket.with((routes) => routes.replaceDefaultRoute(next.interfaceName ?? 'eth0', gateway)),
  );
}

function freeInterfaceName(present: readonly Endpoint[]): string {
  const taken = new Set(present.map(({ interfaceName }) => interfaceName ?? 'eth0'));
  let number = 0;
  while (taken.has(`eth${number}`)) number++;
  return `eth${number}`;
}
