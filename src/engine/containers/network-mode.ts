/** `HostConfig.NetworkMode` and `PortBindings`, decoded. */
import type { PublishRequest } from '../../network/sandbox-service.ts';
import type { ContainerConfig, HostConfig, PortBinding } from '../../wire/container-config.ts';
import { parseContainerPorts, parseHostPorts } from '../../wire/port-syntax.ts';
import { conflictingNetworkOptions, sysctlOfHost, unsupportedSetting } from './container-errors.ts';

export type NetworkMode =
  | { readonly kind: 'bridge' | 'none' | 'host' }
  /** A network that somebody made, by name or id. */
  | { readonly kind: 'network'; readonly ref: string }
  /** Shares the network namespace of another container. */
  | { readonly kind: 'container'; readonly ref: string };

/** The mode a container asked for. Whether a network of that name exists is not asked here. */
export function parseNetworkMode(text: string | undefined): NetworkMode {
  switch (text ?? '') {
    case '':
    case 'default':
    case 'bridge':
      return { kind: 'bridge' };
    case 'none':
      return { kind: 'none' };
    case 'host':
      return { kind: 'host' };
    default: {
      const ref = /^container:(.+)$/.exec(text ?? '')?.[1];
      return ref === undefined ? { kind: 'network', ref: text ?? '' } : { kind: 'container', ref };
    }
  }
}

/** The mode as it is stored: what stands for the default network becomes `bridge`. */
export function networkModeText(mode: NetworkMode): string {
  if (mode.kind === 'container') return `container:${mode.ref}`;
  return mode.kind === 'network' ? mode.ref : mode.kind;
}

/** Refuses the combinations that dockerd refuses. */
export function checkNetworkOptions(config: ContainerConfig, hostConfig: HostConfig): void {
  const mode = parseNetworkMode(hostConfig.NetworkMode);
  if (hostConfig.UTSMode === 'host' && config.Hostname) {
    throw conflictingNetworkOptions('hostname and the UTS mode');
  }
  const foreign = Object.keys(hostConfig.Sysctls ?? {}).find((name) => name.startsWith('net.'));
  if (mode.kind === 'host' && foreign !== undefined) throw sysctlOfHost(foreign);
  if (config.MacAddress && (mode.kind === 'host' || mode.kind === 'container')) {
    throw conflictingNetworkOptions('mac-address and the network mode');
  }
  if (mode.kind !== 'container') return;
  const conflict = OF_THE_OWNER.find(([, isSet]) => isSet(config, hostConfig));
  if (conflict !== undefined) throw conflictingNetworkOptions(conflict[0]);
}

/** What belongs to the container whose network is shared, and Docker's words for asking for it. */
const OF_THE_OWNER: readonly (readonly [
  string,
  (config: ContainerConfig, hostConfig: HostConfig) => boolean,
])[] = [
  ['hostname and the network mode', ({ Hostname = '' }) => Hostname !== ''],
  ['dns and the network mode', (_, { Dns }) => (Dns ?? []).length > 0],
  [
    'custom host-to-IP mapping and the network mode',
    (_, { ExtraHosts }) => (ExtraHosts ?? []).length > 0,
  ],
  [
    'port publishing and the container type network mode',
    (_, { PortBindings, PublishAllPorts }) =>
      PublishAllPorts === true || Object.keys(PortBindings ?? {}).length > 0,
  ],
  [
    'port exposing and the container type network mode',
    ({ ExposedPorts }) => Object.keys(ExposedPorts ?? {}).length > 0,
  ],
];

/** Ports of one protocol that can be published: SCTP has no socket that another namespace could use. */
function publishablePorts(text: string) {
  const { first, last, protocol } = parseContainerPorts(text);
  if (protocol === 'sctp') {
    throw unsupportedSetting(`publishing ${text}`, 'SCTP sockets cannot be handed to a namespace');
  }
  return {
    ports: Array.from({ length: last - first + 1 }, (_, offset) => first + offset),
    protocol,
  };
}

/** The host port of a binding, 0 for a random one; of a range any port will do. */
function hostPortsOf(binding: PortBinding): Pick<PublishRequest, 'hostPort' | 'lastHostPort'> {
  const range = parseHostPorts(binding.HostPort);
  if (range === undefined) return { hostPort: 0 };
  const { first, last } = range;
  return first === last ? { hostPort: first } : { hostPort: first, lastHostPort: last };
}

/** The ports that a container asks to have published, `-P` included. */
export function publishRequests(
  config: ContainerConfig,
  hostConfig: HostConfig,
): readonly PublishRequest[] {
  const bindings = hostConfig.PortBindings ?? {};
  const explicit = Object.entries(bindings).flatMap(([port, list]) => toRequests(port, list));
  if (hostConfig.PublishAllPorts !== true) return explicit;
  const bound = new Set(explicit.map((request) => `${request.containerPort}/${request.protocol}`));
  const exposed = Object.keys(config.ExposedPorts ?? {})
    .flatMap((port) => toRequests(port, null))
    .filter((request) => !bound.has(`${request.containerPort}/${request.protocol}`));
  return [...explicit, ...exposed];
}

function toRequests(
  containerPort: string,
  bindings: readonly PortBinding[] | null,
): readonly PublishRequest[] {
  const { ports, protocol } = publishablePorts(containerPort);
  const list: readonly PortBinding[] = bindings === null || bindings.length === 0 ? [{}] : bindings;
  return ports.flatMap((port) =>
    list.map((binding) => ({
      protocol,
      containerPort: port,
      hostIp: binding.HostIp ?? '',
      ...hostPortsOf(binding),
    })),
  );
}
