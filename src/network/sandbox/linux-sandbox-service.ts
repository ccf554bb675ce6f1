/** Sandboxes made of Linux network namespaces. The port's comments are the contract. */
import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { invariant, messageOf } from '../../shared/errors.ts';
import { type ContainerId, type NetworkId, parseContainerId, shortId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import { Collection } from '../../state/collection.ts';
import { SANDBOX_NAMES } from '../../sys/filenames.ts';
import type { NameService } from '../names/name-service.ts';
import { endpointExists, notConnected } from '../network-errors.ts';
import type { NetworkRecord } from '../network-record.ts';
import type { NetworkSet } from '../networks/network-set.ts';
import type { HostAccess } from '../proxy/host-access.ts';
import type { Publication, Publisher } from '../publish/publisher.ts';
import type {
  Endpoint,
  EndpointRequest,
  Sandbox,
  SandboxRequest,
  SandboxService,
} from '../sandbox-service.ts';
import { dismantleSandbox } from './dismantle-sandbox.ts';
import {
  gatewayEndpoint,
  moveGateways,
  planEndpoint,
  planEndpoints,
  releaseEndpoints,
  wantedEndpoints,
} from './endpoint-links.ts';
import { NamespaceMaker } from './namespace-maker.ts';
import { isPinned } from './namespace-pin.ts';
import type { KernelSetting } from './namespace-settings.ts';
import {
  asStored,
  decodeSandbox,
  newDocument,
  renamed,
  type SandboxDocument,
} from './sandbox-document.ts';
import { publishPorts, restorePorts, withHostBinding } from './sandbox-ports.ts';

/** What sandboxes are made with. */
export interface LinuxSandboxOptions {
  readonly sandboxesDir: string;
  readonly networks: NetworkSet;
  readonly names: NameService;
  readonly publisher: Publisher;
  readonly settings: readonly KernelSetting[];
  readonly nameservers: readonly string[];
  readonly hostAccess: HostAccess;
  readonly hostGateway: string;
  readonly logger: Logger;
}

/** A sandbox that this process serves. */
interface LiveSandbox {
  readonly sandbox: Sandbox;
  readonly publication: Publication;
}

/** Sandboxes need to survive the end of the engine, not that of the machine: no write waits for a disk. */
const DURABILITY = 'ordered';

export class LinuxSandboxService implements SandboxService {
  readonly #options: LinuxSandboxOptions;
  readonly #documents: Collection<SandboxDocument>;
  readonly #live = new Map<ContainerId, LiveSandbox>();
  /** Directories without a readable document, from before this process. */
  readonly #orphans: Set<string>;
  readonly #locks = new KeyedMutex<ContainerId>();
  readonly #namespaces: NamespaceMaker;

  private constructor(options: LinuxSandboxOptions, documents: Collection<SandboxDocument>) {
    this.#options = options;
    this.#documents = documents;
    this.#namespaces = new NamespaceMaker(options);
    this.#orphans = new Set(documents.quarantined().map(({ key }) => key));
  }

  /**
   * Reads what an earlier engine left. Addresses of its sandboxes stay reserved until they are restored or
   * removed; listeners that belong to none of them are closed.
   */
  static async open(options: LinuxSandboxOptions): Promise<LinuxSandboxService> {
    const documents = await Collection.open({
      dir: options.sandboxesDir,
      documentName: SANDBOX_NAMES.document,
      decode: decodeSandbox,
    });
    const known = documents.list().flatMap(({ value }) => value.published);
    await options.publisher.closeStrays(new Set(known.map(({ listenerId }) => listenerId)));
    const endpoints = documents.list().flatMap(({ value }) => value.endpoints);
    for (const endpoint of endpoints) {
      options.networks.tryDriver(endpoint.networkId)?.adopt(endpoint);
    }
    return new LinuxSandboxService(options, documents);
  }

  create(request: SandboxRequest): Promise<Sandbox> {
    const { containerId } = request;
    return this.#locks.run(containerId, async () => {
      const present = this.#live.get(containerId);
      if (present !== undefined) return present.sandbox;
      if (this.#documents.get(containerId) !== undefined || this.#orphans.has(containerId)) {
        await this.#removeLocked(containerId);
      }
      return await this.#createLocked(request);
    });
  }

  restore(containerId: ContainerId): Promise<Sandbox | undefined> {
    return this.#locks.run(containerId, async () => {
      const present = this.#live.get(containerId);
      if (present !== undefined) return present.sandbox;
      const document = this.#documents.get(containerId)?.value;
      if (document === undefined || !isPinned(this.#netnsPath(containerId))) {
        await this.#removeLocked(containerId);
        return undefined;
      }
      return await this.#restoreLocked(containerId, document);
    });
  }

  get(containerId: ContainerId): Sandbox | undefined {
    return this.#live.get(containerId)?.sandbox;
  }

  connect(containerId: ContainerId, request: EndpointRequest): Promise<Sandbox> {
    return this.#locks.run(containerId, () =>
      this.#connectLocked(this.#requireLive(containerId), request),
    );
  }

  disconnect(containerId: ContainerId, networkId: NetworkId): Promise<Sandbox> {
    return this.#locks.run(containerId, () =>
      this.#disconnectLocked(this.#requireLive(containerId), networkId),
    );
  }

  rename(containerId: ContainerId, names: { before: string; after: string }): Promise<void> {
    return this.#locks.run(containerId, async () => {
      const live = this.#live.get(containerId);
      if (live === undefined) return;
      const endpoints = live.sandbox.endpoints.map((endpoint) => renamed(endpoint, names));
      await this.#storeEndpoints(containerId, endpoints);
      this.#admit({ ...live.sandbox, endpoints }, live.publication);
    });
  }

  remove(containerId: ContainerId): Promise<void> {
    return this.#locks.run(containerId, () => this.#removeLocked(containerId));
  }

  list(): Promise<readonly ContainerId[]> {
    const keys = new Set([...this.#documents.keys(), ...this.#orphans]);
    const ids = [...keys].map(parseContainerId).filter((id) => id !== undefined);
    return Promise.resolve(ids);
  }

  networks(): readonly NetworkRecord[] {
    return this.#options.networks.list();
  }

  hostGateway(): string {
    return this.#options.hostGateway;
  }

  nameservers(): readonly string[] {
    return this.#options.nameservers;
  }

  async #createLocked(request: SandboxRequest): Promise<Sandbox> {
    const { networks, publisher, logger } = this.#options;
    const { containerId } = request;
    await using undo = new CleanupStack((error) =>
      logger.warn('a failed sandbox could not be undone', { container: containerId, error }),
    );
    const endpoints = planEndpoints(networks, wantedEndpoints(request, networks.defaultId), undo);
    const endpointName = request.containerName ?? shortId(containerId);
    // The intent: after a crash in the steps below, the directory tells that there is something to remove.
    const intent = newDocument(request, endpointName, endpoints);
    await this.#documents.create(containerId, intent, DURABILITY);
    undo.defer(() => this.#documents.remove(containerId, DURABILITY));
    const netnsPath = this.#netnsPath(containerId);
    this.#namespaces.make(netnsPath, endpoints, undo);
    const owner = { endpointName, endpoints };
    const publication = await publishPorts(
      publisher,
      owner,
      withHostBinding(networks.list(), endpoints, request.publish),
    );
    undo.defer(() => publication.close());
    if (publication.ports.length > 0) await this.#storePublished(containerId, publication);
    await this.#serveNames(containerId, endpoints, request.nameservers);

    undo.release();
    return this.#admit({ containerId, netnsPath, endpoints }, publication);
  }

  async #serveNames(
    containerId: ContainerId,
    endpoints: readonly Endpoint[],
    nameservers: readonly string[] | undefined,
  ): Promise<void> {
    const netnsPath = this.#netnsPath(containerId);
    await this.#options.names.update({ containerId, netnsPath, endpoints, nameservers });
  }

  #requireLive(containerId: ContainerId): LiveSandbox {
    const live = this.#live.get(containerId);
    invariant(live !== undefined, 'the sandbox is not live');
    return live;
  }

  async #connectLocked(live: LiveSandbox, request: EndpointRequest): Promise<Sandbox> {
    const { networks, logger } = this.#options;
    const { containerId, netnsPath, endpoints: before } = live.sandbox;
    const present = before.find(({ networkId }) => networkId === request.networkId);
    if (present !== undefined) {
      throw endpointExists(this.#endpointName(containerId), present.networkName);
    }
    await using undo = new CleanupStack((error) =>
      logger.warn('a failed connect could not be undone', { container: containerId, error }),
    );
    const endpoint = planEndpoint(networks, request, before);
    undo.defer(() => releaseEndpoints(networks, [endpoint]));
    const endpoints = [...before, endpoint];
    const driver = networks.driver(request.networkId);
    driver.attach({ netnsPath, endpoint, isGateway: false, isIpv6Gateway: false });
    undo.defer(() => driver.unplug(endpoint));
    moveGateways(netnsPath, before, endpoints);
    const publication = await this.#publishLate(live, endpoints);
    if (publication !== live.publication) undo.defer(() => publication.close());
    await this.#storeEndpoints(containerId, endpoints);
    if (publication !== live.publication) await this.#storePublished(containerId, publication);

    undo.release();
    return this.#admit({ containerId, netnsPath, endpoints }, publication);
  }

  /** Ports that no network led to so far are published with the first that does. */
  async #publishLate(live: LiveSandbox, endpoints: readonly Endpoint[]): Promise<Publication> {
    const { publisher, networks } = this.#options;
    const { containerId } = live.sandbox;
    const requested = this.#documents.get(containerId)?.value.requested ?? [];
    if (live.publication.ports.length > 0 || requested.length === 0) return live.publication;
    const owner = { endpointName: this.#endpointName(containerId), endpoints };
    const requests = withHostBinding(networks.list(), endpoints, requested);
    return await publishPorts(publisher, owner, requests);
  }

  async #disconnectLocked(live: LiveSandbox, networkId: NetworkId): Promise<Sandbox> {
    const { networks } = this.#options;
    const { containerId, netnsPath, endpoints: before } = live.sandbox;
    const endpoint = before.find((one) => one.networkId === networkId);
    if (endpoint === undefined) throw notConnected(containerId, networkId);
    const endpoints = before.filter((one) => one !== endpoint);
    networks.tryDriver(networkId)?.unplug(endpoint);
    moveGateways(netnsPath, before, endpoints);
    await this.#storeEndpoints(containerId, endpoints);
    releaseEndpoints(networks, [endpoint]);
    const publication = await this.#republish(live, endpoint, endpoints);
    return this.#admit({ containerId, netnsPath, endpoints }, publication);
  }

  /** Ports that led to an endpoint that is gone lead to the next one, as with Docker. */
  async #republish(
    live: LiveSandbox,
    gone: Endpoint,
    endpoints: readonly Endpoint[],
  ): Promise<Publication> {
    const { containerId } = live.sandbox;
    const { ports } = live.publication;
    const isTarget = gatewayEndpoint(live.sandbox.endpoints) === gone;
    if (!isTarget || ports.length === 0) return live.publication;
    await live.publication.close();
    const owner = { endpointName: this.#endpointName(containerId), endpoints };
    const publication = await publishPorts(this.#options.publisher, owner, ports);
    await this.#storePublished(containerId, publication);
    return publication;
  }

  #endpointName(containerId: ContainerId): string {
    return this.#documents.get(containerId)?.value.endpointName ?? shortId(containerId);
  }

  async #storePublished(containerId: ContainerId, { ports }: Publication): Promise<void> {
    const published = [...ports];
    const stored = this.#documents.get(containerId);
    await stored?.update((current) => {
      // After a restart of the engine mostly nothing is new, and with many containers each write counts.
      const isKnown = isDeepStrictEqual(current.published, published);
      return isKnown ? current : { ...current, published };
    }, DURABILITY);
  }

  async #storeEndpoints(containerId: ContainerId, endpoints: readonly Endpoint[]): Promise<void> {
    const stored = this.#documents.get(containerId);
    const fresh = endpoints.map(asStored);
    await stored?.update((current) => ({ ...current, endpoints: fresh }), DURABILITY);
    await this.#serveNames(containerId, endpoints, stored?.value.nameservers);
  }

  async #restoreLocked(containerId: ContainerId, document: SandboxDocument): Promise<Sandbox> {
    const { endpoints, published, nameservers } = document;
    const netnsPath = this.#netnsPath(containerId);
    await this.#serveNames(containerId, endpoints, nameservers);
    const publication = await restorePorts(this.#options.publisher, document, published);
    await this.#storePublished(containerId, publication);
    return this.#admit({ containerId, netnsPath, endpoints }, publication);
  }

  #admit(sandbox: Omit<Sandbox, 'published'>, publication: Publication): Sandbox {
    const published = publication.ports.map(({ listenerId: _, ...port }) => port);
    const complete = { ...sandbox, published };
    const { containerId, endpoints } = sandbox;
    const asks = this.#documents.get(containerId)?.value.hostAccess === true;
    if (asks) this.#options.hostAccess.grant(containerId, endpoints);
    this.#live.set(sandbox.containerId, { sandbox: complete, publication });
    return complete;
  }

  /** Every step is tried; the failures are thrown at the end and the sandbox stays listed for another try. */
  async #removeLocked(containerId: ContainerId): Promise<void> {
    const publication = this.#live.get(containerId)?.publication;
    const { endpoints = [], published = [] } = this.#documents.get(containerId)?.value ?? {};
    const netnsPath = this.#netnsPath(containerId);
    this.#live.delete(containerId);
    this.#options.hostAccess.revoke(containerId);
    const remains = { containerId, netnsPath, endpoints, published, publication };
    const failures = await dismantleSandbox(remains, this.#options);
    if (failures.length > 0) {
      const reasons = failures.map(messageOf).join('; ');
      throw new AggregateError(failures, `remove sandbox ${shortId(containerId)}: ${reasons}`);
    }
    await this.#forget(containerId, endpoints);
  }

  async #forget(containerId: ContainerId, endpoints: readonly Endpoint[]): Promise<void> {
    await this.#documents.remove(containerId, DURABILITY);
    if (this.#orphans.delete(containerId)) {
      await rm(this.#documents.pathOf(containerId), { recursive: true, force: true });
    }
    releaseEndpoints(this.#options.networks, endpoints);
  }

  #netnsPath(containerId: ContainerId): string {
    return `${this.#documents.pathOf(containerId)}/${SANDBOX_NAMES.netns}`;
  }
}
