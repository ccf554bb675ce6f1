/** Turns the body of a create request into what a network needs, or refuses it with the reason. Pure. */
import type { AddressWishes, NetworkSpec } from '../../network/network-record.ts';
import { isPredefined } from '../../shared/predefined-networks.ts';
import type { CreateNetworkBody } from '../../wire/network-bodies.ts';
import {
  emptyNetworkName,
  ipv6Disabled,
  predefinedNetwork,
  severalSubnets,
  unknownNetworkDriver,
  unsupportedNetwork,
} from './network-errors.ts';

const NO_PARENT =
  "its containers would be neighbours of an interface of the host, which is outside of this user's namespace; " +
  'use the driver bridge, and publish ports';

/** Drivers of Docker's that need what an account without root does not have. */
const REFUSED: Readonly<Record<string, string>> = {
  macvlan: NO_PARENT,
  ipvlan: NO_PARENT,
  overlay: 'it needs swarm mode',
};

/**
 * The network that a body asks for. `forbidden` for predefined names, `not-found` for unknown drivers,
 * `invalid-argument` for bad names and for what cannot be had.
 */
export function networkSpec(body: CreateNetworkBody): NetworkSpec {
  const { Name: name, IPAM: ipam } = body;
  if (isPredefined(name)) throw predefinedNetwork(name);
  if (name.trim() === '') throw emptyNetworkName();
  checkDriver(body.Driver);
  checkSupported(body);
  const ipv4 = ipam.Config.find((pool) => !isIpv6Pool(pool));
  const ipv6 = ipam.Config.find(isIpv6Pool);
  return {
    name,
    ...addressWishes(ipv4),
    ...(body.EnableIPv6 ? { ipv6: addressWishes(ipv6) } : {}),
    options: body.Options,
    ...(ipam.Options === undefined ? {} : { ipamOptions: ipam.Options }),
    labels: body.Labels,
    internal: body.Internal,
    attachable: body.Attachable,
  };
}

type IpamPool = CreateNetworkBody['IPAM']['Config'][number];

/** The family of a pool is that of its subnet, or else of what there is instead. */
function isIpv6Pool({ Subnet, Gateway, IPRange }: IpamPool): boolean {
  return (Subnet || IPRange || Gateway).includes(':');
}

function addressWishes(pool: IpamPool | undefined): AddressWishes {
  return {
    ...(pool?.Subnet ? { subnet: pool.Subnet } : {}),
    ...(pool?.Gateway ? { gateway: pool.Gateway } : {}),
    ...(pool?.IPRange ? { ipRange: pool.IPRange } : {}),
    auxAddresses: pool?.AuxiliaryAddresses ?? {},
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
  if (!body.EnableIPv4) {
    throw unsupportedNetwork(
      'a network without IPv4',
      'published ports and names need an address of it',
    );
  }
  if (!body.EnableIPv6 && pools.some(isIpv6Pool)) throw ipv6Disabled();
  if (body.Ingress) throw unsupportedNetwork('an ingress network', 'it needs swarm mode');
  if (body.ConfigOnly) throw unsupportedNetwork('a config-only network', 'it needs swarm mode');
  if (driver !== '' && driver !== 'default') throw unknownNetworkDriver(driver);
  const ipv6Pools = pools.filter(isIpv6Pool).length;
  if (ipv6Pools > 1 || pools.length - ipv6Pools > 1) throw severalSubnets();
  if (
    pools.some(({ Subnet, Gateway, IPRange }) => Subnet === '' && `${Gateway}${IPRange}` !== '')
  ) {
    throw unsupportedNetwork('a gateway or range without a subnet', 'name the subnet too');
  }
}
