/** The networks that the API lists: documents with stable ids. */
import { join } from 'node:path';
import * as v from 'valibot';
import type { Clock } from '../shared/clock.ts';
import { type NetworkId, newNetworkId } from '../shared/ids.ts';
import { Collection } from '../state/collection.ts';
import type { NetworkRecord } from './sandbox-service.ts';

/** What is stored of a network. */
interface NetworkDocument extends NetworkRecord {
  readonly v: 1;
}

/** Networks that always exist, in the order of the list. */
const PREDEFINED = [
  { name: 'bridge', driver: 'bridge' },
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
] as const;

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
  options: v.record(v.string(), v.string()),
});

/** What changes about the default bridge with the machine it runs on. */
export interface BridgeFacts {
  readonly subnet: string;
  readonly gateway: string;
  readonly options: Readonly<Record<string, string>>;
}

/** The only writer of the network documents. */
export class NetworkCatalog {
  readonly #documents: Collection<NetworkDocument>;

  private constructor(documents: Collection<NetworkDocument>) {
    this.#documents = documents;
  }

  /** Reads the documents and makes those of the predefined networks that are missing. */
  static async open(networksDir: string, clock: Clock): Promise<NetworkCatalog> {
    const documents = await Collection.open({
      dir: networksDir,
      corruptDir: join(networksDir, '..', 'corrupt'),
      decode: (raw) => v.parse(schema, raw),
    });
    const catalog = new NetworkCatalog(documents);
    for (const { name, driver } of PREDEFINED) {
      if (catalog.find(name) !== undefined) continue;
      const id = newNetworkId();
      const createdAt = clock.nowIso();
      await documents.create(id, { v: 1, id, name, driver, createdAt, options: {} });
    }
    return catalog;
  }

  /** All networks, predefined ones first. */
  list(): readonly NetworkRecord[] {
    const order = (record: NetworkRecord) =>
      (PREDEFINED.findIndex(({ name }) => name === record.name) + PREDEFINED.length + 1) %
      (PREDEFINED.length + 1);
    return this.#documents
      .list()
      .map(({ value: { v: _, ...record } }) => record)
      .toSorted((left, right) => order(left) - order(right));
  }

  /** The network of that exact name. */
  find(name: string): NetworkRecord | undefined {
    return this.list().find((record) => record.name === name);
  }

  /** Stores what the default bridge has become; nothing is written when it is as before. */
  async updateBridge(id: NetworkId, facts: BridgeFacts): Promise<void> {
    await this.#documents.get(id)?.update((current) => {
      const next = { ...current, ...facts };
      return JSON.stringify(next) === JSON.stringify(current) ? current : next;
    });
  }
}
