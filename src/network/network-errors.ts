/** Errors of networks, addresses and published ports. Texts are Docker's where Docker has one. */
import { EngineError, messageOf } from '../shared/errors.ts';

/** What a port could not be published for. */
export interface PublishFailure {
  readonly endpointName: string;
  readonly endpointId: string;
  readonly protocol: 'tcp' | 'udp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerIp: string;
  readonly containerPort: number;
}

/** `bip` is not usable. */
export function invalidBridgeAddress(text: string, reason: string): EngineError {
  return new EngineError('invalid-argument', `invalid bridge address (bip) ${text}: ${reason}`);
}

/** `fixed-cidr` is not usable. */
export function invalidBridgeRange(text: string, bridge: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `invalid fixed-cidr ${text}: it is not a part of the default bridge's network ${bridge}`,
  );
}

/** Every pool entry collides with a network of the host. */
export function noFreePool(pools: readonly string[]): EngineError {
  return new EngineError(
    'conflict',
    `all predefined address pools have been fully subnetted (${pools.join(', ')}); ` +
      'choose an address for the bridge with --bip',
  );
}

/** No address is left in the network. */
export function noFreeAddress(
  family: 'IPv4' | 'IPv6',
  network: { readonly name: string; readonly id: string },
): EngineError {
  return new EngineError(
    'internal',
    `no available ${family} addresses on this network's address pools: ${network.name} (${network.id})`,
  );
}

/** The kernel does not take a setting of an interface. */
export function sysctlRefused(reason: string): EngineError {
  return new EngineError('invalid-argument', `failed to set a sysctl of an interface: ${reason}`);
}

/** Two interfaces of one container with the same name. */
export function interfaceNameTaken(name: string): EngineError {
  return new EngineError('invalid-argument', `interface name ${name} is already in use`);
}

/** An `--add-host` value without a name or without an address. */
export function invalidExtraHost(text: string): EngineError {
  return new EngineError('invalid-argument', `bad format for add-host: ${JSON.stringify(text)}`);
}

/** `host-gateway` on a host without an address that containers can reach. */
export function hostGatewayUnknown(): EngineError {
  return new EngineError(
    'invalid-argument',
    'unable to derive the IP value for host-gateway: the host has no address that containers reach',
  );
}

/** A MAC address that is none. */
export function invalidMacAddress(text: string): EngineError {
  return new EngineError('invalid-argument', `invalid MAC address: ${text}`);
}

/** Another program of the host has the port, or the kernel refuses it to this user. */
export function bindFailed(failure: PublishFailure, cause: unknown): EngineError {
  const target = `${failure.containerIp}:${failure.containerPort}/${failure.protocol}`;
  const reason =
    `failed to bind host port for ${bracketed(failure.hostIp)}:${failure.hostPort}:${target}: ` +
    bindReason(failure, cause);
  return connectivityError(failure, reason, cause);
}

/** Another container of ours has the port. */
export function portAllocated(failure: PublishFailure): EngineError {
  const where = `${bracketed(failure.hostIp)}:${failure.hostPort}`;
  return connectivityError(failure, `Bind for ${where} failed: port is already allocated`);
}

/** A network that must exist does not. */
export function networkMissing(name: string): EngineError {
  return new EngineError('not-found', `network ${name} not found`);
}

/** The kernel would not make what the network is made of. */
export function networkUnusable(name: string, reason: string): EngineError {
  return new EngineError(
    'unavailable',
    `network ${name} cannot be used on this machine: ${reason}; the networks none and host can`,
  );
}

/** Another network has the name. */
export function networkExists(name: string): EngineError {
  return new EngineError('conflict', `network with name ${name} already exists`);
}

/** Sandboxes are on the network. */
export function networkInUse(name: string, id: string): EngineError {
  const text = `error while removing network: network ${name} id ${id} has active endpoints`;
  return new EngineError('forbidden', text);
}

/** A subnet that another network has, wholly or in part. */
export function poolOverlap(): EngineError {
  return new EngineError(
    'forbidden',
    'invalid pool request: Pool overlaps with other one on this address space',
  );
}

/** A subnet that the engine's own way out is part of. */
export function uplinkOverlap(subnet: string): EngineError {
  return new EngineError(
    'forbidden',
    `invalid pool request: ${subnet} is within the network that the way out of containers uses`,
  );
}

/** Every subnet that a network could get by itself is taken. */
export function poolsExhausted(): EngineError {
  return new EngineError(
    'invalid-argument',
    'all predefined address pools have been fully subnetted',
  );
}

/** Not a subnet; `masked` is the network that an address with host bits belongs to. */
export function invalidSubnet(text: string, masked?: string): EngineError {
  const reason =
    masked === undefined
      ? `invalid subnet ${text}: invalid CIDR block notation`
      : `invalid subnet ${text}: it should be ${masked}`;
  return new EngineError('invalid-argument', `invalid network config:\n${reason}`);
}

/** A gateway that the subnet does not contain. */
export function invalidGateway(text: string, subnet: string): EngineError {
  const reason = `invalid gateway ${text}: parent subnet ${subnet} doesn't contain this address`;
  return new EngineError('invalid-argument', `invalid network config:\n${reason}`);
}

/** A range or auxiliary address outside of the subnet. */
export function invalidIpRange(name: string, text: string, subnet: string): EngineError {
  const what = name === 'ip-range' ? 'ip-range' : `auxiliary address ${name}:`;
  const reason = `invalid ${what} ${text}: parent subnet ${subnet} doesn't contain this address`;
  return new EngineError('invalid-argument', `invalid network config:\n${reason}`);
}

/** A driver option with a value that it cannot have. */
export function invalidNetworkOption(name: string, value: string): EngineError {
  return new EngineError('invalid-argument', `invalid value for network option ${name}: ${value}`);
}

/** A value of a driver option that Docker has and this program has not. */
export function unsupportedNetworkOption(name: string, value: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `network option ${name}=${value} is not supported: addresses of containers end at this user's namespace`,
  );
}

/** An interface of that name exists already. */
export function bridgeNameTaken(name: string): EngineError {
  return new EngineError(
    'forbidden',
    `cannot create network: bridge name ${name} is already in use`,
  );
}

/** A fixed address that another container has, or that belongs to the network itself. */
export function addressInUse(): EngineError {
  return new EngineError('forbidden', 'Address already in use');
}

/** A fixed address outside of the network. */
export function addressOutOfRange(address: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `invalid endpoint settings:\nno configured subnet contains IP address ${address}`,
  );
}

/** A second endpoint of one sandbox on the same network. */
export function endpointExists(name: string, networkName: string): EngineError {
  return new EngineError(
    'forbidden',
    `endpoint with name ${name} already exists in network ${networkName}`,
  );
}

/** The sandbox has no endpoint on the network. */
export function notConnected(containerId: string, networkName: string): EngineError {
  return new EngineError(
    'internal',
    `container ${containerId} is not connected to the network ${networkName}`,
  );
}

/** The host holds no listener of that id. */
export function noSuchListener(listenerId: string): EngineError {
  return new EngineError('not-found', `no such listener: ${listenerId}`);
}

function connectivityError(failure: PublishFailure, reason: string, cause?: unknown): EngineError {
  const { endpointName, endpointId } = failure;
  return new EngineError(
    'internal',
    'failed to set up container networking: driver failed programming external connectivity ' +
      `on endpoint ${endpointName} (${endpointId}): ${reason}`,
    cause === undefined ? {} : { cause },
  );
}

function bindReason(failure: PublishFailure, cause: unknown): string {
  const code = cause instanceof EngineError ? cause.details['code'] : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return 'address already in use';
    case 'EADDRNOTAVAIL':
      return 'cannot assign requested address';
    case 'EACCES':
      return (
        `permission denied: ports below net.ipv4.ip_unprivileged_port_start need privileges; choose one from 1024 on, ` +
        `let an administrator run "sysctl net.ipv4.ip_unprivileged_port_start=${failure.hostPort}", ` +
        `or set "privileged-ports" to "auto-remap" in daemon.json to get ${failure.hostPort + 10_000} instead`
      );
    default:
      return messageOf(cause);
  }
}

function bracketed(hostIp: string): string {
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp;
}
