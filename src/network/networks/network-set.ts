/** The networks of the engine's namespace: their documents, bridges and packet filter, changed one at a time. */
import type { SubnetPool } from '../../handshake/host-facts.ts';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Failpoints } from '../../shared/failpoints.ts';
import { type NetworkId, newNetworkId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import { isPredefined } from '../../shared/predefined-networks.ts';
import { formatPrefix } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { loadRules } from '../bridge/load-rules.ts';
import { UnusableNetwork } from '../bridge/unusable-network.ts';
import type { NetworkCatalog } from '../network-catalog.ts';
import type { NetworkDriver } from '../network-driver.ts';
import { networkExists, networkInUse, networkMissing } from '../network-errors.ts';
import type { NetworkRecord, NetworkSpec } from '../network-record.ts';
import type { CreatedNetwork, NetworkStore } from '../network-store.ts';
import { bringUpBridge, ruleSettings, takeDownBridge } from './bring-up-bridge.ts';
import { optionWarnings } from './network-options.ts';
import { planNetwork } from './plan-network.ts';

/** What networks are made with. */
export interface NetworkSetOptions {
  readonly catalog: NetworkCatalog;
  /** The default bridge. */
  readonly bridge: { readonly record: NetworkRecord; readonly driver: NetworkDriver };
  /** Networks that the host has routes to, as `a.b.c.d/n`. */
  readonly hostRoutes: readonly string[];
  /** The way out with its network, `a.b.c.d/n`; undefined without one. */
  readonly uplink: { readonly cidr: string; readonly interfaceName: string } | undefined;
  /** `default-address-pools`; Docker's when there is none. */
  readonly addressPools: readonly SubnetPool[];
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
  #filterLack: string | undefined;

  private constructor(options: NetworkSetOptions) {
    this.#options = options;
    this.#drivers.set(options.bridge.record.id, options.bridge.driver);
  }

  /** Brings every stored network up, or takes its bridge over, and loads the packet filter. */
  static async open(options: NetworkSetOptions): Promise<NetworkSet> {
    const set = new NetworkSet(options);
    for (const record of options.catalog.list().filter(({ name }) => !isPredefined(name))) {
      try {
        set.#drivers.set(record.id, set.#bringUp(record, { fresh: false }));
      } catch (error) {
        options.logger.error('a network is out of order', { network: record.name, error });
        set.#drivers.set(record.id, new UnusableNetwork(record.name, messageOf(error)));
      }
    }
    await set.#loadRules();
    return set;
  }

  /** Why networks are open to each other; undefined where the packet filter keeps them apart. */
  get filterLack(): string | undefined {
    return this.#filterLack;
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

  create(spec: NetworkSpec): Promise<CreatedNetwork> {
    const { catalog, clock, hostRoutes, failpoints, uplink, addressPools } = this.#options;
    return this.#locks.run('all', async () => {
      if (catalog.find(spec.name) !== undefined) throw networkExists(spec.name);
      const record = planNetwork(spec, {
        id: newNetworkId(),
        createdAt: clock.nowIso(),
        subnets: this.list().flatMap(({ subnet, ipv6 }) =>
          [subnet ?? [], ipv6?.subnet ?? []].flat(),
        ),
        occupied: [...hostRoutes, ...networksHere()],
        uplink: uplink?.cidr,
        pools: addressPools,
        seed: this.defaultId,
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
      return { record, warnings: optionWarnings(spec.options) };
    });
  }

  remove(id: NetworkId): Promise<void> {
    const { catalog, failpoints } = this.#options;
    return this.#locks.run('all', async () => {
      const record = this.list().find((one) => one.id === id);
      if (record === undefined) throw networkMissing(id);
      if (this.#drivers.get(id)?.isUsed() === true) throw networkInUse(record.name, id);
      this.#drivers.delete(id);
      takeDownBridge(record);
      failpoints.hit('network-remove:after-bridge');
      try {
        // Last: as long as it is there, a crash in between leaves a network that can be removed again.
        await catalog.remove(id);
      } catch (error) {
        this.#drivers.set(id, this.#bringUp(record, { fresh: false }));
        throw error;
      }
      failpoints.hit('network-remove:after-document');
      await this.#loadRules();
    });
  }

  #bringUp(record: NetworkRecord, { fresh }: { fresh: boolean }): NetworkDriver {
    return bringUpBridge(record, { fresh, defaultMtu: this.#options.mtu });
  }

  async #loadRules(): Promise<void> {
    const rules = this.list().filter((record) => this.#drivers.has(record.id));
    this.#filterLack = await loadRules(rules.map(ruleSettings), {
      uplinkName: this.#options.uplink?.interfaceName,
      logger: this.#options.logger,
    });
  }
}

/** Networks that the engine's own namespace is part of. */
function networksHere(): readonly string[] {
  return RouteSocket.with((routes) => [
    ...routes.listAddresses().map(({ prefix }) => formatPrefix(prefix)),
    ...routes.listRoutes().map(({ destination }) => formatPrefix(destination)),
  ]);
}
