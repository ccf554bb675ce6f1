/** The networks of the engine's namespace: their documents, bridges and packet filter, changed one at a time. */
import type { Clock } from '../../shared/clock.ts';
import type { Failpoints } from '../../shared/failpoints.ts';
import { type NetworkId, newNetworkId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import { isPredefined } from '../../shared/predefined-networks.ts';
import { formatPrefix, type Ipv4Prefix, parseIpv4, parsePrefix } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { BridgeNetwork } from '../bridge/bridge-network.ts';
import type { RuleSettings } from '../bridge/bridge-rules.ts';
import { keepCarrier, keeperOf } from '../bridge/keep-carrier.ts';
import { loadRules } from '../bridge/load-rules.ts';
import { macOfAddress } from '../bridge/mac-address.ts';
import type { NetworkCatalog } from '../network-catalog.ts';
import type { NetworkDriver } from '../network-driver.ts';
import { bridgeNameTaken, networkExists, networkInUse, networkMissing } from '../network-errors.ts';
import type { NetworkRecord, NetworkSpec } from '../network-record.ts';
import type { NetworkStore } from '../network-store.ts';
import { allowsNeighbours, bridgeNameOf, mtuOf, planNetwork } from './plan-network.ts';

/** What networks are made with. */
export interface NetworkSetOptions {
  readonly catalog: NetworkCatalog;
  /** The default bridge, which is up. */
  readonly bridge: { readonly record: NetworkRecord; readonly driver: NetworkDriver };
  /** Networks that the host has routes to, as `a.b.c.d/n`. */
  readonly hostRoutes: readonly string[];
  /** MTU of networks that ask for none. */
  readonly mtu: number;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly logger: Logger;
}

/** The only maker of networks. */
export class NetworkSet implements NetworkStore {
  readonly #options: NetworkSetOptions;
  readonly #drivers = new Map<NetworkId, NetworkDriver>();
  readonly #locks = new KeyedMutex<'all'>();

  private constructor(options: NetworkSetOptions) {
    this.#options = options;
    this.#drivers.set(options.bridge.record.id, options.bridge.driver);
  }

  /** Brings every stored network up, or takes its bridge over, and loads the packet filter. */
  static async open(options: NetworkSetOptions): Promise<NetworkSet> {
    const set = new NetworkSet(options);
    for (const record of options.catalog.list().filter(({ name }) => !isPredefined(name))) {
      try {
        set.#drivers.set(record.id, set.#bringUp(record));
      } catch (error) {
        options.logger.error('a network is out of order', { network: record.name, error });
      }
    }
    await set.#loadRules();
    return set;
  }

  list(): readonly NetworkRecord[] {
    return this.#options.catalog.list();
  }

  /** The driver of a network that sandboxes can join; `not-found` for all others. */
  driver(id: NetworkId): NetworkDriver {
    const driver = this.#drivers.get(id);
    if (driver === undefined) {
      throw networkMissing(this.list().find((record) => record.id === id)?.name ?? id);
    }
    return driver;
  }

  /** The driver, or undefined when the network has gone. */
  tryDriver(id: NetworkId): NetworkDriver | undefined {
    return this.#drivers.get(id);
  }

  /** The network that containers join by default. */
  get defaultId(): NetworkId {
    return this.#options.bridge.record.id;
  }

  create(spec: NetworkSpec): Promise<NetworkRecord> {
    const { catalog, clock, hostRoutes, failpoints } = this.#options;
    return this.#locks.run('all', async () => {
      if (catalog.find(spec.name) !== undefined) throw networkExists(spec.name);
      const record = planNetwork(spec, {
        id: newNetworkId(),
        createdAt: clock.nowIso(),
        subnets: this.list().flatMap(({ subnet }) => subnet ?? []),
        occupied: [...hostRoutes, ...networksHere()],
      });
      await catalog.add(record);
      failpoints.hit('network-create:after-document');
      try {
        this.#drivers.set(record.id, this.#bringUp(record, { fresh: true }));
      } catch (error) {
        await catalog.remove(record.id);
        throw error;
      }
      failpoints.hit('network-create:after-bridge');
      await this.#loadRules();
      return record;
    });
  }

  remove(id: NetworkId): Promise<void> {
    const { catalog, failpoints } = this.#options;
    return this.#locks.run('all', async () => {
      const record = this.list().find((one) => one.id === id);
      if (record === undefined) throw networkMissing(id);
      if (this.#drivers.get(id)?.isUsed() === true) throw networkInUse(record.name, id);
      this.#drivers.delete(id);
      RouteSocket.with((routes) => {
        routes.deleteLink(keeperOf(id).port);
        routes.deleteLink(bridgeNameOf(record));
      });
      failpoints.hit('network-remove:after-bridge');
      try {
        // Last: as long as it is there, a crash in between leaves a network that can be removed again.
        await catalog.remove(id);
      } catch (error) {
        this.#drivers.set(id, this.#bringUp(record));
        throw error;
      }
      failpoints.hit('network-remove:after-document');
      await this.#loadRules();
    });
  }

  #bringUp(record: NetworkRecord, options: { fresh: boolean } = { fresh: false }): BridgeNetwork {
    const mtu = mtuOf(record.options) ?? this.#options.mtu;
    const address = gatewayPrefix(record);
    const name = bridgeNameOf(record);
    const index = RouteSocket.with((routes) => {
      const present = routes.findLink(name);
      if (present !== undefined && options.fresh) throw bridgeNameTaken(name);
      const macAddress = macOfAddress(address.address);
      const link = present ?? routes.addBridge({ name, mtu, macAddress, address });
      keepCarrier(routes, { index: link.index, mtu }, keeperOf(record.id));
      return link.index;
    });
    const range = record.ipRange === undefined ? undefined : parsePrefix(record.ipRange);
    const aux = Object.values(record.auxAddresses ?? {});
    return new BridgeNetwork({
      network: record,
      bridgeIndex: index,
      address,
      mtu,
      reserved: aux.map(parseIpv4).filter((one) => one !== undefined),
      internal: record.internal === true,
      isolated: !allowsNeighbours(record.options),
      ...(range === undefined ? {} : { range }),
    });
  }

  async #loadRules(): Promise<void> {
    const rules = this.list().filter((record) => this.#drivers.has(record.id));
    await loadRules(rules.map(ruleSettings), this.#options.logger);
  }
}

function ruleSettings(record: NetworkRecord): RuleSettings {
  return {
    bridgeName: bridgeNameOf(record),
    subnet: record.subnet ?? '',
    internal: record.internal === true,
    neighbours: allowsNeighbours(record.options),
  };
}

/** The bridge's own address with the length of its network. */
function gatewayPrefix(record: NetworkRecord): Ipv4Prefix {
  const prefix = parsePrefix(`${record.gateway}/${record.subnet?.split('/')[1]}`);
  if (prefix === undefined) throw networkMissing(record.name);
  return prefix;
}

/** Networks that the engine's own namespace is part of. */
function networksHere(): readonly string[] {
  return RouteSocket.with((routes) => [
    ...routes.listAddresses().map(({ prefix }) => formatPrefix(prefix)),
    ...routes.listRoutes().map(({ destination }) => formatPrefix(destination)),
  ]);
}
