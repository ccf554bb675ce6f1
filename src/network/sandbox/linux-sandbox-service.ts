/** Sandboxes made of Linux network namespaces. The port's comments are the contract. */
import { rm } from 'node:fs/promises';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { invariant, messageOf } from '../../shared/errors.ts';
import { type ContainerId, type NetworkId, parseContainerId, shortId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import { Collection } from '../../state/collection.ts';
import { SANDBOX_NAMES } from '../../sys/filenames.ts';
import { createNetworkNamespace, removeNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import type { NameService } from '../names/name-service.ts';
import { endpointExists, notConnected } from '../network-errors.ts';
import type { NetworkRecord } from '../network-record.ts';
import type { NetworkSet } from '../networks/network-set.ts';
import type { Publication, Publisher } from '../publish/publisher.ts';
import type {
  Endpoint,
  EndpointRequest,
  Sandbox,
  SandboxRequest,
  SandboxService,
} from '../sandbox-service.ts';
import {
  gatewayEndpoint,
  moveGateway,
  planEndpoint,
  planEndpoints,
  releaseEndpoints,
} from './endpoint-links.ts';
import { isPinned } from './namespace-pin.ts';
import { type KernelSetting, prepareNamespace } from './namespace-settings.ts';
import {
  asStored,
  decodeSandbox,
  newDocument,
  renamed,
  type SandboxDocument,
} from './sandbox-document.ts';

/** What sandboxes are made with. */
export interface LinuxSandboxOptions {
  readonly sandboxesDir: string;
  readonly networks: NetworkSet;
  readonly names: NameService;
  readonly publisher: Publisher;
  readonly settings: readonly KernelSetting[];
  readonly nameservers: readonly string[];
  readonly logger: Logger;
}

/** A sandbox that this process serves. */
interface LiveSandbox {
  readonly sandbox: Sandbox;
  readonly publication: Publication;
}

/** Sandboxes need to survive the end of the engine, not that of the machine: no write waits for a disk. */
const DURABILITY = 'ordered';

const NOTHING_PUBLISHED: Publication = { ports: [], close: async () => undefined };

export class LinuxSandboxService implements SandboxService {
  readonly #options: LinuxSandboxOptions;
  readonly #documents: Collection<SandboxDocument>;
  readonly #live = new Map<ContainerId, LiveSandbox>();
  /** Directories without a readable document, from before this process. */
  readonly #orphans: Set<string>;
  readonly #locks = new KeyedMutex<ContainerId>();
  /** Refused kernel settings that were warned about. */
  readonly #reported = new Set<string>();

  private constructor(options: LinuxSandboxOptions, documents: Collection<SandboxDocument>) {
    this.#options = options;
    this.#documents = documents;
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

  nameservers(): readonly string[] {
    return this.#options.nameservers;
  }

  async #createLocked(request: SandboxRequest): Promise<Sandbox> {
    const { networks, logger } = this.#options;
    const { containerId } = request;
    await using undo = new CleanupStack((error) =>
      logger.warn('a failed sandbox could not be undone', { container: containerId, error }),
    );
    const endpoints = planEndpoints(networks, this.#wantedEndpoints(request), undo);
    const endpointName = request.containerName ?? shortId(containerId);
    // The intent: after a crash in the steps below, the directory tells that there is something to remove.
    const intent = newDocument(request, endpointName, endpoints);
    const stored = await this.#documents.create(containerId, intent, DURABILITY);
    undo.defer(() => this.#documents.remove(containerId, DURABILITY));
    const netnsPath = this.#makeNamespace(containerId, endpoints, undo);
    const publication = await this.#publish(endpointName, endpoints, request);
    undo.defer(() => publication.close());
    if (publication.ports.length > 0) {
      await stored.update(
        (current) => ({ ...current, published: [...publication.ports] }),
        DURABILITY,
      );
    }

    await this.#serveNames(containerId, endpoints, request.nameservers);

    undo.release();
    return this.#admit({ containerId, netnsPath, endpoints }, publication);
  }

  #wantedEndpoints(request: SandboxRequest): readonly EndpointRequest[] {
    if (request.mode === 'none') return [];
    const { macAddress } = request;
    const networkId = this.#options.networks.defaultId;
    return (
      request.networks ?? [
        { networkId, names: [], ...(macAddress === undefined ? {} : { macAddress }) },
      ]
    );
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
    const name = this.#documents.get(containerId)?.value.endpointName ?? shortId(containerId);
    if (present !== undefined) throw endpointExists(name, present.networkName);
    await using undo = new CleanupStack((error) =>
      logger.warn('a failed connect could not be undone', { container: containerId, error }),
    );
    const endpoint = planEndpoint(networks, request, before);
    undo.defer(() => releaseEndpoints(networks, [endpoint]));
    const endpoints = [...before, endpoint];
    const driver = networks.driver(request.networkId);
    driver.attach({ netnsPath, endpoint, isGateway: false });
    undo.defer(() => driver.unplug(endpoint));
    moveGateway(netnsPath, before, endpoints);
    await this.#storeEndpoints(containerId, endpoints);

    undo.release();
    return this.#admit({ containerId, netnsPath, endpoints }, live.publication);
  }

  async #disconnectLocked(live: LiveSandbox, networkId: NetworkId): Promise<Sandbox> {
    const { networks } = this.#options;
    const { containerId, netnsPath, endpoints: before } = live.sandbox;
    const endpoint = before.find((one) => one.networkId === networkId);
    if (endpoint === undefined) throw notConnected(containerId, networkId);
    const endpoints = before.filter((one) => one !== endpoint);
    networks.tryDriver(networkId)?.unplug(endpoint);
    moveGateway(netnsPath, before, endpoints);
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
    const stored = this.#documents.get(containerId);
    const endpointName = stored?.value.endpointName ?? shortId(containerId);
    const publication = await this.#publish(endpointName, endpoints, { publish: ports });
    await stored?.update(
      (current) => ({ ...current, published: [...publication.ports] }),
      DURABILITY,
    );
    return publication;
  }

  async #storeEndpoints(containerId: ContainerId, endpoints: readonly Endpoint[]): Promise<void> {
    const stored = this.#documents.get(containerId);
    const fresh = endpoints.map(asStored);
    await stored?.update((current) => ({ ...current, endpoints: fresh }), DURABILITY);
    await this.#serveNames(containerId, endpoints, stored?.value.nameservers);
  }

  #makeNamespace(
    containerId: ContainerId,
    endpoints: readonly Endpoint[],
    undo: CleanupStack,
  ): string {
    const { networks, settings } = this.#options;
    const netnsPath = this.#netnsPath(containerId);
    createNetworkNamespace(netnsPath);
    undo.defer(() => removeNetworkNamespace(netnsPath));
    const refusals = prepareNamespace(netnsPath, settings);
    this.#reportOnce(refusals);
    const gateway = gatewayEndpoint(endpoints);
    for (const endpoint of endpoints) {
      const driver = networks.driver(endpoint.networkId);
      driver.attach({ netnsPath, endpoint, isGateway: endpoint === gateway });
      undo.defer(() => driver.detach({ netnsPath, endpoint }));
    }
    return netnsPath;
  }

  /** What the kernel refuses to one container it refuses to all. */
  #reportOnce(refusals: readonly string[]): void {
    for (const refusal of refusals.filter((text) => !this.#reported.has(text))) {
      this.#reported.add(refusal);
      this.#options.logger.warn('the kernel refuses a setting of containers', { refusal });
    }
  }

  #publish(
    endpointName: string,
    endpoints: readonly Endpoint[],
    request: Pick<SandboxRequest, 'publish'>,
  ): Promise<Publication> {
    const endpoint = gatewayEndpoint(endpoints);
    if (endpoint === undefined || request.publish.length === 0) {
      return Promise.resolve(NOTHING_PUBLISHED);
    }
    const { endpointId, ipAddress } = endpoint;
    const target = { endpointName, endpointId, ipAddress };
    return this.#options.publisher.publish(target, request.publish);
  }

  async #restoreLocked(containerId: ContainerId, document: SandboxDocument): Promise<Sandbox> {
    const { endpoints, endpointName, published, nameservers } = document;
    const netnsPath = this.#netnsPath(containerId);
    await this.#serveNames(containerId, endpoints, nameservers);
    const endpoint = gatewayEndpoint(endpoints);
    if (endpoint === undefined) {
      return this.#admit({ containerId, netnsPath, endpoints }, NOTHING_PUBLISHED);
    }
    const { endpointId, ipAddress } = endpoint;
    const target = { endpointName, endpointId, ipAddress };
    const publication = await this.#options.publisher.restore(target, published);
    const stored = this.#documents.get(containerId);
    await stored?.update(
      (current) => ({ ...current, published: [...publication.ports] }),
      DURABILITY,
    );
    return this.#admit({ containerId, netnsPath, endpoints }, publication);
  }

  #admit(sandbox: Omit<Sandbox, 'published'>, publication: Publication): Sandbox {
    const published = publication.ports.map(({ listenerId: _, ...port }) => port);
    const complete = { ...sandbox, published };
    this.#live.set(sandbox.containerId, { sandbox: complete, publication });
    return complete;
  }

  /** Every step is tried; the failures are thrown at the end and the sandbox stays listed for another try. */
  async #removeLocked(containerId: ContainerId): Promise<void> {
    const { networks, names, publisher } = this.#options;
    const live = this.#live.get(containerId);
    const { endpoints = [], published = [] } = this.#documents.get(containerId)?.value ?? {};
    const netnsPath = this.#netnsPath(containerId);
    const failures: unknown[] = [];
    const attempt = async (step: () => unknown) => {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    };
    this.#live.delete(containerId);
    await attempt(() => names.remove(containerId));
    // A sandbox that an earlier engine served may still have its listeners with the host.
    await attempt(() =>
      live === undefined ? publisher.discard(published) : live.publication.close(),
    );
    for (const endpoint of endpoints) {
      const driver = networks.tryDriver(endpoint.networkId);
      await attempt(() => driver?.detach({ netnsPath, endpoint }));
    }
    await attempt(() => removeNetworkNamespace(netnsPath));
    if (failures.length === 0) await attempt(() => this.#forget(containerId, endpoints));
    if (failures.length > 0) {
      const reasons = failures.map(messageOf).join('; ');
      throw new AggregateError(failures, `remove sandbox ${shortId(containerId)}: ${reasons}`);
    }
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
