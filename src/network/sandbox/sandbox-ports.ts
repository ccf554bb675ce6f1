/** The published ports of one sandbox: they lead to the endpoint that gives its default route. */
import type { NetworkRecord } from '../network-record.ts';
import { hostBindingOf } from '../networks/network-options.ts';
import type { BoundPort, Publication, Publisher, PublishTarget } from '../publish/publisher.ts';
import type { Endpoint, PublishRequest } from '../sandbox-service.ts';
import { gatewayEndpoint } from './endpoint-links.ts';

const NOTHING_PUBLISHED: Publication = { ports: [], close: async () => undefined };

/** The container end, with the container's name for messages. */
export interface PortOwner {
  readonly endpointName: string;
  readonly endpoints: readonly Endpoint[];
}

/** Binds and serves ports; none when no network leads outside. */
export function publishPorts(
  publisher: Publisher,
  owner: PortOwner,
  requests: readonly PublishRequest[],
): Promise<Publication> {
  const target = targetOf(owner);
  if (target === undefined || requests.length === 0) return Promise.resolve(NOTHING_PUBLISHED);
  return publisher.publish(target, requests);
}

/** Serves the ports of a sandbox that an earlier engine made. */
export function restorePorts(
  publisher: Publisher,
  owner: PortOwner,
  ports: readonly BoundPort[],
): Promise<Publication> {
  const target = targetOf(owner);
  if (target === undefined) return Promise.resolve(NOTHING_PUBLISHED);
  return publisher.restore(target, ports);
}

/** Ports that name no host address get that of the network they lead to, when it has one. */
export function withHostBinding(
  networks: readonly NetworkRecord[],
  endpoints: readonly Endpoint[],
  requests: readonly PublishRequest[],
): readonly PublishRequest[] {
  const networkId = gatewayEndpoint(endpoints)?.networkId;
  const hostIp = hostBindingOf(networks.find(({ id }) => id === networkId)?.options ?? {});
  if (hostIp === '') return requests;
  return requests.map((request) => (request.hostIp === '' ? { ...request, hostIp } : request));
}

function targetOf({ endpointName, endpoints }: PortOwner): PublishTarget | undefined {
  const endpoint = gatewayEndpoint(endpoints);
  if (endpoint === undefined) return undefined;
  const { endpointId, ipAddress, prefixLength } = endpoint;
  return { endpointName, endpointId, ipAddress, prefixLength };
}
