/** The networks that the API lists: documents with stable ids. */
import { join } from 'node:path';
import * as v from 'valibot';
import type { Clock } from '../shared/clock.ts';
import { type NetworkId, newNetworkId } from '../shared/ids.ts';
import { PREDEFINED_NETWORKS } from '../shared/predefined-networks.ts';
import { Collection } from '../state/collection.ts';
import { FIRST_VERSION } from '../state/migrations.ts';
import type { QuarantinedDocument } from '../state/quarantine.ts';
import type { AddressPlan, NetworkRecord } from './network-record.ts';

/** What is stored of a network. */
interface NetworkDocument extends NetworkRecord {
  readonly v: 1;
}

const textMap = v.record(v.string(), v.string());

const planEntries = {
  ipRange: v.exactOptional(v.string()),
  auxAddresses: v.exactOptional(textMap),
  subnetChosen: v.exactOptional(v.boolean()),
};

const schema = v.object({
  v: v.literal(1),
  id: v.pipe(
    v.string(),
    v.regex(/^[0-9a-f]{64}$/),
    v.transform((id) => id as NetworkId),
  ),
  name: v.string(),
  driver: v.picklist(['bridge', 'host', 'null']),
  createdAt: v.string(),
  subnet: v.exactOptional(v.string()),
  gateway: v.exactOptional(v.string()),
  ...planEntries,
  ipv6: v.exactOptional(v.object({ subnet: v.string(), gateway: v.string(), ...planEntries })),
  options: textMap,
  ipamOptions: v.exactOptional(textMap),
  labels: v.exactOptional(textMap),
  internal: v.exactOptional(v.boolean()),
  attachable: v.exactOptional(v.boolean()),
});

/** What changes about the default bridge with the machine it runs on. */
export interface BridgeFacts {
  readonly subnet: string;
  readonly gateway: string;
  /** Undefined when addresses are chosen from all of the subnet. */
  readonly ipRange: string | undefined;
  /** Undefined without IPv6. */
  readonly ipv6: AddressPlan | undefined;
  readonly options: Readonly<Record<string, string>>;
}

/** Where the documents are. */
export interface NetworkCatalogOptions {
  readonly networksDir: string;
  readonly clock: Clock;
  /** Hears of documents that cannot be read. */
  readonly onQuarantined?: (document: QuarantinedDocument) => void;
}

/** The only writer of the network documents. */
export class NetworkCatalog {
  readonly #documents: Collection<NetworkDocument>;

  private constructor(documents: Collection<NetworkDocument>) {
    this.#documents = documents;
  }

  /** Reads the documents and makes those of the predefined networks that are missing. */
  static async open(options: NetworkCatalogOptions): Promise<NetworkCatalog> {
    const { networksDir, clock, onQuarantined } = options;
    const documents = await Collection.open({
      dir: networksDir,
      corruptDir: join(networksDir, '..', 'corrupt'),
      migrations: FIRST_VERSION,
      decode: (raw) => v.parse(schema, raw),
      ...(onQuarantined === undefined ? {} : { onQuarantined }),
    });
    const catalog = new NetworkCatalog(documents);
    for (const { name, driver } of PREDEFINED_NETWORKS) {
      if (catalog.find(name) !== undefined) continue;
      const id = newNetworkId();
      const createdAt = clock.nowIso();
      await documents.create(id, { v: 1, id, name, driver, createdAt, options: {} });
    }
    return catalog;
  }

  /** All networks, predefined ones first. */
  list(): readonly NetworkRecord[] {
    const last = PREDEFINED_NETWORKS.length;
    const order = (record: NetworkRecord) =>
      (PREDEFINED_NETWORKS.findIndex(({ name }) => name === record.name) + last + 1) % (last + 1);
    return this.#documents
      .list()
      .map(({ value: { v: _, ...record } }) => record)
      .toSorted((left, right) => order(left) - order(right));
  }

  /** The network of that exact name. */
  find(name: string): NetworkRecord | undefined {
    return this.list().find((record) => record.name === name);
  }

  /** Stores a new network. */
  async add(record: NetworkRecord): Promise<void> {
    await this.#documents.create(record.id, { v: 1, ...record });
  }

  /** Forgets a network. Idempotent. */
  async remove(id: NetworkId): Promise<void> {
    await this.#documents.remove(id);
  }

  /** Stores what the default bridge has become; nothing is written when it is as before. */
  async updateBridge(id: NetworkId, facts: BridgeFacts): Promise<void> {
    await this.#documents.get(id)?.update((current) => {
      const { ipRange: _range, ipv6: _ipv6, ...before } = current;
      const { ipRange, ipv6, ...now } = facts;
      const next = {
        ...before,
        ...now,
        ...(ipRange === undefined ? {} : { ipRange }),
        ...(ipv6 === undefined ? {} : { ipv6 }),
      };
      return JSON.stringify(next) === JSON.stringify(current) ? current : next;
    });
  }
}
