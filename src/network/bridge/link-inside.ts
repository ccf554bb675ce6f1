/** The interface of an endpoint within its sandbox. The thread is in the sandbox's namespace for all of this. */
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { type Ipv6Prefix, parseIpv6 } from '../../sys/netlink/ipv6.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import type { JoinRequest } from '../network-driver.ts';
import { sysctlRefused } from '../network-errors.ts';
import { writeSetting } from '../sandbox/namespace-settings.ts';
import type { Endpoint } from '../sandbox-service.ts';

/** Name of the interface of endpoints that were planned before they carried one. */
const FIRST_LINK = 'eth0';

/** The name of an endpoint's interface inside. */
export function linkInside(endpoint: Pick<Endpoint, 'interfaceName'>): string {
  return endpoint.interfaceName ?? FIRST_LINK;
}

/** Gives the interface its settings, addresses and routes. `invalid-argument` for a setting that is refused. */
export function configureLink({ endpoint, isGateway, isIpv6Gateway }: JoinRequest): void {
  const linkName = linkInside(endpoint);
  const ipv6 = ipv6Prefix(endpoint);
  if (ipv6 !== undefined) enableIpv6(linkName);
  for (const text of endpoint.sysctls ?? []) writeSysctl(text, linkName);
  const gateway = isGateway ? parseIpv4(endpoint.gateway) : undefined;
  const ipv6Gateway = isIpv6Gateway ? parseIpv6(endpoint.ipv6?.gateway ?? '') : undefined;
  const address = {
    address: parseIpv4(endpoint.ipAddress) ?? 0,
    prefixLength: endpoint.prefixLength,
  };
  RouteSocket.with((routes) =>
    routes.configureContainerLink({
      linkName,
      address,
      ...(gateway === undefined ? {} : { gateway }),
      ...(ipv6 === undefined
        ? {}
        : {
            ipv6: { address: ipv6, ...(ipv6Gateway === undefined ? {} : { gateway: ipv6Gateway }) },
          }),
    }),
  );
}

/** Takes the addresses away. Idempotent. */
export function silenceLink(endpoint: Endpoint): void {
  const linkName = linkInside(endpoint);
  const ipv6 = ipv6Prefix(endpoint);
  RouteSocket.with((routes) => {
    routes.removeAddresses(linkName);
    if (ipv6 !== undefined) routes.removeIpv6Address(linkName, ipv6);
  });
}

/** Interfaces come without IPv6; this one is to have it, by the addresses that we give it alone. */
function enableIpv6(linkName: string): void {
  for (const [name, value] of [
    ['accept_ra', '0'],
    ['disable_ipv6', '0'],
  ] as const) {
    const [refusal] = writeSetting({ path: `ipv6/conf/${linkName}/${name}`, value });
    if (refusal !== undefined) throw sysctlRefused(refusal);
  }
}

/** `net.ipv4.conf.IFNAME.name=value`, whose `IFNAME` stands for the interface. */
function writeSysctl(text: string, linkName: string): void {
  const [name = '', value = ''] = text.split('=');
  const path = name
    .split('.')
    .slice(1)
    .map((part) => (part.toUpperCase() === 'IFNAME' ? linkName : part))
    .join('/');
  const [refusal] = writeSetting({ path, value });
  if (refusal !== undefined) throw sysctlRefused(refusal);
}

function ipv6Prefix({ ipv6 }: Endpoint): Ipv6Prefix | undefined {
  const address = ipv6 === undefined ? undefined : parseIpv6(ipv6.address);
  return address === undefined ? undefined : { address, prefixLength: ipv6?.prefixLength ?? 0 };
}
