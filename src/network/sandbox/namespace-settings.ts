/** Kernel settings of a container's network namespace, as Docker has them. */
import { writeFileSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { withNetworkNamespace } from '../../sys/ns/network-namespace.ts';

/** One file below `/proc/sys/net` and what is written to it. */
export interface KernelSetting {
  readonly path: string;
  readonly value: string;
}

/**
 * Settings of a fresh namespace. Any process may bind low ports and send pings (the group range must not reach
 * beyond the ids that are mapped). Interfaces made later have no IPv6, because containers get no IPv6 address;
 * `lo` keeps its own.
 */
export function namespaceSettings(highestGid: number): readonly KernelSetting[] {
  return [
    { path: 'ipv4/ip_unprivileged_port_start', value: '0' },
    { path: 'ipv4/ping_group_range', value: `0 ${highestGid}` },
    { path: 'ipv6/conf/default/disable_ipv6', value: '1' },
  ];
}

/** Brings `lo` up and writes the settings. Returns those that the kernel refused, with its reason. */
export function prepareNamespace(
  netnsPath: string,
  settings: readonly KernelSetting[],
): readonly string[] {
  return withNetworkNamespace(netnsPath, () => {
    const refusals = settings.flatMap(writeSetting);
    RouteSocket.with((routes) => routes.setLoopbackUp());
    return refusals;
  });
}

/**
 * The highest group id that is mapped without a gap from 0 on, from the text of `/proc/self/gid_map`
 * (user_namespaces(7)); 0 when only one is.
 */
export function highestMappedGid(gidMap: string): number {
  const extents = gidMap
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((fields) => fields.length === 3)
    .toSorted(([left = 0], [right = 0]) => left - right);
  let next = 0;
  for (const [inside = 0, , count = 0] of extents) {
    if (inside !== next) break;
    next = inside + count;
  }
  // The kernel takes no group range beyond the signed 32-bit numbers.
  return Math.max(0, Math.min(next - 1, 0x7fffffff));
}

/** Writes one setting of the namespace that the thread is in. A kernel without the setting needs none. */
export function writeSetting(setting: KernelSetting): readonly string[] {
  try {
    // Not asynchronous: `/proc/sys/net` shows the namespace of the thread that opens it.
    writeFileSync(`/proc/sys/net/${setting.path}`, setting.value);
    return [];
  } catch (error) {
    const code = systemCode(error);
    return code === 'ENOENT' ? [] : [`${setting.path}: ${code ?? String(error)}`];
  }
}
