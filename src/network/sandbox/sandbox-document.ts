/** What is stored of a sandbox while it lives: enough to take it over after an engine restart. */
import * as v from 'valibot';
import type { NetworkId } from '../../shared/ids.ts';
import type { Endpoint, SandboxRequest } from '../sandbox-service.ts';

const protocol = v.picklist(['tcp', 'udp']);

const endpointSchema = v.object({
  networkName: v.string(),
  networkId: v.pipe(
    v.string(),
    v.transform((id) => id as NetworkId),
  ),
  endpointId: v.string(),
  ipAddress: v.string(),
  prefixLength: v.number(),
  gateway: v.string(),
  macAddress: v.string(),
  ipv6: v.exactOptional(
    v.object({ address: v.string(), prefixLength: v.number(), gateway: v.string() }),
  ),
  interfaceName: v.exactOptional(v.string()),
  sysctls: v.exactOptional(v.array(v.string())),
  names: v.exactOptional(v.array(v.string())),
  links: v.exactOptional(v.array(v.tuple([v.string(), v.string()]))),
  gatewayPriority: v.exactOptional(v.number()),
});

const boundPortSchema = v.object({
  protocol,
  containerPort: v.number(),
  hostIp: v.string(),
  hostPort: v.number(),
  listenerId: v.string(),
});

const publishRequestSchema = v.object({
  protocol,
  containerPort: v.number(),
  hostIp: v.string(),
  hostPort: v.number(),
  lastHostPort: v.exactOptional(v.number()),
});

const sandboxSchema = v.object({
  v: v.literal(1),
  /** Name of the container, for messages about its ports. */
  endpointName: v.string(),
  endpoints: v.array(endpointSchema),
  /** Name servers for outside names, when they are not the engine's own. */
  nameservers: v.exactOptional(v.array(v.string())),
  /** The loopback of the host is open to the container. */
  hostAccess: v.exactOptional(v.boolean()),
  /** Ports to publish once a network leads outside. */
  requested: v.exactOptional(v.array(publishRequestSchema)),
  /** Ports as bound; empty until all of them are. */
  published: v.array(boundPortSchema),
});

export type SandboxDocument = v.InferOutput<typeof sandboxSchema>;

/** Decodes a stored document; throws with the path of what is wrong. */
export function decodeSandbox(raw: unknown): SandboxDocument {
  return v.parse(sandboxSchema, raw);
}

/** The document of a sandbox that is about to be made. */
export function newDocument(
  request: Pick<SandboxRequest, 'nameservers' | 'hostAccess' | 'publish'>,
  endpointName: string,
  endpoints: readonly Endpoint[],
): SandboxDocument {
  const { nameservers, hostAccess, publish } = request;
  return {
    v: 1,
    endpointName,
    endpoints: endpoints.map(asStored),
    ...(nameservers === undefined ? {} : { nameservers: [...nameservers] }),
    ...(hostAccess === true ? { hostAccess } : {}),
    ...(publish.length === 0 ? {} : { requested: [...publish] }),
    published: [],
  };
}

/** An endpoint as the document keeps it. */
export function asStored(endpoint: Endpoint): SandboxDocument['endpoints'][number] {
  const { names, links, sysctls, ...rest } = endpoint;
  return {
    ...rest,
    ...(names === undefined ? {} : { names: [...names] }),
    ...(sysctls === undefined ? {} : { sysctls: [...sysctls] }),
    ...(links === undefined ? {} : { links: links.map(([alias, name]) => [alias, name]) }),
  };
}

/** An endpoint whose container has another name now. */
export function renamed(endpoint: Endpoint, names: { before: string; after: string }): Endpoint {
  if (endpoint.names === undefined) return endpoint;
  const next = endpoint.names.map((name) => (name === names.before ? names.after : name));
  return { ...endpoint, names: next };
}
