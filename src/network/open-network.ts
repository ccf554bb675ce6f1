/** Puts the network together: catalogue, default bridge, publisher, sandboxes. Called once by `bin`. */

import { readFile } from 'node:fs/promises';
import type { SubnetPool } from '../handshake/host-facts.ts';
import type { Clock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Failpoints } from '../shared/failpoints.ts';
import type { Logger } from '../shared/logger.ts';
import type { QuarantinedDocument } from '../state/quarantine.ts';
import {
  formatIpv4,
  formatPrefix,
  type Ipv4Prefix,
  parsePrefix,
  prefixesOverlap,
} from '../sys/netlink/ipv4.ts';
import { errnoCode } from '../sys/system-errors.ts';
import { BridgeNetwork } from './bridge/bridge-network.ts';
import { DEFAULT_BRIDGE, type StartedBridge, startBridge } from './bridge/start-bridge.ts';
import { UnusableNetwork } from './bridge/unusable-network.ts';
import type { HostDialer } from './host-dialer.ts';
import { subnetOf } from './ipam/choose-prefix.ts';
import { NameService } from './names/name-service.ts';
import { NetworkCatalog } from './network-catalog.ts';
import type { NetworkDriver } from './network-driver.ts';
import { invalidBridgeRange, networkMissing } from './network-errors.ts';
import type { NetworkRecord } from './network-record.ts';
import { ipv6Settings } from './networks/bring-up-bridge.ts';
import { openBridgeIpv6 } from './networks/default-bridge-ipv6.ts';
import { NetworkSet } from './networks/network-set.ts';
import type { HostListeners } from './port-publisher.ts';
import { HostAccess } from './proxy/host-access.ts';
import { openOutsideProxy } from './proxy/outside-proxy.ts';
import { HOST_GATE, RELAY_ADDRESS } from './proxy/proxy-rules.ts';
import { Publisher } from './publish/publisher.ts';
import { SourceAddresses } from './publish/source-addresses.ts';
import { LinuxSandboxService } from './sandbox/linux-sandbox-service.ts';
import { highestMappedGid, namespaceSettings } from './sandbox/namespace-settings.ts';

/** What the network needs to know and to use. */
export interface NetworkOptions {
  /** Documents of networks; survives a reboot. */
  readonly networksDir: string;
  /** Sandboxes; dies at reboot. */
  readonly sandboxesDir: string;
  /** `bip`; undefined leaves the choice to us. */
  readonly bridgeAddress: string | undefined;
  /** `fixed-cidr`: the part of the default bridge's network that addresses are chosen from. */
  readonly bridgeRange: string | undefined;
  /** `ipv6`, with `fixed-cidr-v6` when it is given; undefined for a default bridge without IPv6. */
  readonly bridgeIpv6: { readonly subnet?: string | undefined } | undefined;
  /** `default-address-pools`; Docker's when there is none. */
  readonly addressPools: readonly SubnetPool[];
  /** Networks that the host has routes to, as `a.b.c.d/n`. */
  readonly hostRoutes: readonly string[];
  /** The way out of the engine's namespace; undefined when there is none. */
  readonly uplink:
    | {
        readonly mtu: number;
        readonly nameserver: string;
        readonly cidr: string;
        readonly interfaceName: string;
      }
    | undefined;
  /** The host as containers reach it, for `host.docker.internal`; empty when it has no such address. */
  readonly hostAddress: string;
  /** Name servers of the host. */
  readonly resolvers: readonly string[];
  /** Lets all containers reach the loopback of the host. */
  readonly hostLoopback: boolean;
  /** Privileged ports that the host refuses become others. */
  readonly remapsPrivileged: boolean;
  readonly hostDialer: HostDialer;
  readonly hostListeners: HostListeners;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  /** Hears of documents of networks that cannot be read. */
  readonly onQuarantined?: (document: QuarantinedDocument) => void;
  readonly logger: Logger;
}

/** Ethernet's size, for machines without an uplink to take it from. */
const DEFAULT_MTU = 1500;

const BRIDGE_CURE = 'the kernel needs its modules bridge and veth: sudo modprobe -a bridge veth';

/** The network, ready for containers. */
export interface OpenedNetwork {
  readonly sandboxes: LinuxSandboxService;
  readonly networks: NetworkSet;
  /** What of networks this machine cannot give, as sentences for `docker info`. */
  readonly lacks: readonly string[];
}

/** Makes or takes over everything in the engine's network namespace that containers need. */
export async function openNetwork(options: NetworkOptions): Promise<OpenedNetwork> {
  const { logger, uplink } = options;
  const catalog = await NetworkCatalog.open(options);
  const record = requireNetwork(catalog, 'bridge');
  const mtu = uplink?.mtu ?? DEFAULT_MTU;
  const { driver, lack } = await openDefaultBridge(options, { catalog, record, mtu });
  const networks = await NetworkSet.open({
    ...options,
    catalog,
    bridge: { record, driver },
    mtu,
  });
  const access = new HostAccess(options.hostLoopback);
  const [hasProxy, sources] = await Promise.all([
    openOutsideProxy({
      ...options,
      dialer: options.hostDialer,
      hasUplink: uplink !== undefined,
      networks,
      access,
    }),
    SourceAddresses.open(logger),
  ]);
  const relay = hasProxy ? [RELAY_ADDRESS] : [];
  const nameservers = uplink === undefined ? relay : [uplink.nameserver];
  const sandboxes = await LinuxSandboxService.open({
    sandboxesDir: options.sandboxesDir,
    networks,
    names: new NameService({
      ...options,
      hostAddress: hasProxy && options.hostLoopback ? HOST_GATE : options.hostAddress,
      upstreams: nameservers,
    }),
    publisher: new Publisher({ ...options, host: options.hostListeners, sources }),
    settings: namespaceSettings(highestMappedGid(await readFile('/proc/self/gid_map', 'utf8'))),
    nameservers,
    hostAccess: access,
    hostGateway: hasProxy ? HOST_GATE : '',
    logger,
  });
  const { filterLack } = networks;
  const lacks = [
    ...(lack === undefined ? [] : [`No bridge networks: ${lack}`]),
    ...(filterLack === undefined ? [] : [`Networks are open to each other: ${filterLack}`]),
  ];
  return { sandboxes, networks, lacks };
}

/** The default network; where the kernel refuses to make it, one that nobody can join, and why. */
async function openDefaultBridge(
  options: NetworkOptions,
  { catalog, record, mtu }: { catalog: NetworkCatalog; record: NetworkRecord; mtu: number },
): Promise<{ driver: NetworkDriver; lack?: string }> {
  const { logger } = options;
  let started: StartedBridge;
  try {
    started = startBridge({
      bridgeAddress: options.bridgeAddress,
      previousSubnet: record.subnet,
      hostRoutes: options.hostRoutes,
      pools: options.addressPools,
      mtu,
      logger,
    });
  } catch (error) {
    // Settings that cannot be used carry no errno: they end the start, as they do with dockerd.
    if (errnoCode(error) === undefined) throw error;
    const lack = messageOf(error);
    logger.error('containers can join none of the bridge networks', { error, cure: BRIDGE_CURE });
    return { driver: new UnusableNetwork(record.name, `${lack} (${BRIDGE_CURE})`), lack };
  }
  const range = bridgeRange(options.bridgeRange, started.address);
  const ipv6 = openBridgeIpv6(options.bridgeIpv6, record, catalog.list());
  await catalog.updateBridge(record.id, {
    subnet: subnetOf(started.address),
    ipRange: options.bridgeRange,
    ipv6,
    gateway: formatIpv4(started.address.address),
    options: bridgeOptions(mtu),
  });
  logger.debug('bridge network is up', { address: formatPrefix(started.address) });
  const { index: bridgeIndex, address } = started;
  const driver = new BridgeNetwork({
    ...{ network: record, bridgeIndex, address, range, mtu },
    ipv6: ipv6Settings(ipv6),
  });
  return { driver };
}

function requireNetwork(catalog: NetworkCatalog, name: string): NetworkRecord {
  const record = catalog.find(name);
  if (record === undefined) throw networkMissing(name);
  return record;
}

/** `invalid-argument` for a range that is none, or not part of the bridge's network. */
function bridgeRange(text: string | undefined, bridge: Ipv4Prefix): Ipv4Prefix | undefined {
  if (text === undefined) return undefined;
  const range = parsePrefix(text);
  const isInside =
    range !== undefined &&
    range.prefixLength >= bridge.prefixLength &&
    prefixesOverlap(range, bridge);
  if (!isInside) throw invalidBridgeRange(text, formatPrefix(bridge));
  return range;
}

/** The options that Docker's default bridge reports. */
function bridgeOptions(mtu: number): Readonly<Record<string, string>> {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
    'com.docker.network.bridge.name': DEFAULT_BRIDGE,
    'com.docker.network.driver.mtu': String(mtu),
  };
}
