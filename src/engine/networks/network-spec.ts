/** Turns the body of a create request into what a network needs, or refuses it with the reason. Pure. */
import type { NetworkSpec } from '../../network/network-record.ts';
import { isPredefined } from '../../shared/predefined-networks.ts';
import type { CreateNetworkBody } from '../../wire/network-bodies.ts';
import {
  invalidNetworkName,
  predefinedNetwork,
  unknownNetworkDriver,
  unsupportedNetwork,
} from './network-errors.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Drivers of Docker's that need what an account without root does not have. */
const REFUSED: Readonly<Record<string, string>> = {
  macvlan: "it needs an interface of the host, which is outside of this user's namespace",
  ipvlan: "it needs an interface of the host, which is outside of this user's namespace",
  overlay: 'it needs swarm mode',
};

/**
 * The network that a body asks for. `forbidden` for predefined names, `not-found` for unknown drivers,
 * `invalid-argument` for bad names and for what cannot be had.
 */
export function networkSpec(body: CreateNetworkBody): NetworkSpec {
  const { Name: name, IPAM: ipam } = body;
  if (isPredefined(name)) throw predefinedNetwork(name);
  if (!NAME.test(name)) throw invalidNetworkName(name);
  checkDriver(body.Driver);
  checkSupported(body);
  const [pool] = ipam.Config;
  return {
    name,
    ...(pool?.Subnet ? { subnet: pool.Subnet } : {}),
    ...(pool?.Gateway ? { gateway: pool.Gateway } : {}),
    ...(pool?.IPRange ? { ipRange: pool.IPRange } : {}),
    auxAddresses: pool?.AuxiliaryAddresses ?? {},
    options: body.Options,
    ipamOptions: ipam.Options,
    labels: body.Labels,
    internal: body.Internal,
    attachable: body.Attachable,
  };
}

function checkDriver(driver: string): void {
  if (driver === '' || driver === 'default' || driver === 'bridge') return;
  if (driver === 'host' || driver === 'null') {
    throw unsupportedNetwork(`a second network of driver ${driver}`, 'one is predefined');
  }
  const why = REFUSED[driver];
  if (why !== undefined) throw unsupportedNetwork(`network driver ${driver}`, why);
  throw unknownNetworkDriver(driver);
}

function checkSupported(body: CreateNetworkBody): void {
  const pools = body.IPAM.Config;
  const driver = body.IPAM.Driver;
  if (body.EnableIPv6 || pools.some(({ Subnet }) => Subnet.includes(':'))) {
    throw unsupportedNetwork('IPv6 on networks', 'containers get IPv4 addresses only');
  }
  if (!body.EnableIPv4) throw unsupportedNetwork('a network without IPv4', 'there is no IPv6');
  if (body.Ingress) throw unsupportedNetwork('an ingress network', 'it needs swarm mode');
  if (body.ConfigOnly) throw unsupportedNetwork('a config-only network', 'it needs swarm mode');
  if (driver !== '' && driver !== 'default') throw unknownNetworkDriver(driver);
  if (pools.length > 1) {
    throw unsupportedNetwork('more than one IPAM pool', 'a bridge network has one subnet');
  }
  const [pool] = pools;
  if (pool !== undefined && pool.Subnet === '' && (pool.Gateway !== '' || pool.IPRange !== '')) {
    throw unsupportedNetwork('a gateway or range without a subnet', 'name the subnet too');
  }
}
