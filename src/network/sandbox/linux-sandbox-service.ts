/** Sandboxes made of Linux network namespaces. The port's comments are the contract. */
import { rm } from 'node:fs/promises';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { messageOf } from '../../shared/errors.ts';
import { type ContainerId, parseContainerId, shortId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import { Collection } from '../../state/collection.ts';
import { SANDBOX_NAMES } from '../../sys/filenames.ts';
import { createNetworkNamespace, removeNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import type { NetworkDriver } from '../network-driver.ts';
import type { Publication, Publisher } from '../publish/publisher.ts';
import type {
  Endpoint,
  NetworkRecord,
  Sandbox,
  SandboxRequest,
  SandboxService,
} from '../sandbox-service.ts';
import { isPinned } from './namespace-pin.ts';
import { type KernelSetting, prepareNamespace } from './namespace-settings.ts';
import { decodeSandbox, type SandboxDocument } from './sandbox-document.ts';

/** What sandboxes are made with. */
export interface LinuxSandboxOptions {
  readonly sandboxesDir: string;
  /** The default network. */
  readonly bridge: NetworkDriver;
  readonly publisher: Publisher;
  readonly settings: readonly KernelSetting[];
  readonly networks: () => readonly NetworkRecord[];
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
    for (const endpoint of endpoints) options.bridge.adopt(endpoint);
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

  remove(containerId: ContainerId): Promise<void> {
    return this.#locks.run(containerId, () => this.#removeLocked(containerId));
  }

  list(): Promise<readonly ContainerId[]> {
    const keys = new Set([...this.#documents.keys(), ...this.#orphans]);
    const ids = [...keys].map(parseContainerId).filter((id) => id !== undefined);
    return Promise.resolve(ids);
  }

  networks(): readonly NetworkRecord[] {
    return this.#options.networks();
  }

  nameservers(): readonly string[] {
    return this.#options.nameservers;
  }

  async #createLocked(request: SandboxRequest): Promise<Sandbox> {
    const { bridge, logger } = this.#options;
    const { containerId } = request;
    await using undo = new CleanupStack((error) =>
      logger.warn('a failed sandbox could not be undone', { container: containerId, error }),
    );
    const endpoints = request.mode === 'bridge' ? [bridge.plan(request)] : [];
    undo.defer(() => this.#release(endpoints));
    const endpointName = request.containerName ?? shortId(containerId);
    // The intent: after a crash in the steps below, the directory tells that there is something to remove.
    const intent: SandboxDocument = { v: 1, endpointName, endpoints, published: [] };
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

    undo.release();
    return this.#admit({ containerId, netnsPath, endpoints }, publication);
  }

  #makeNamespace(
    containerId: ContainerId,
    endpoints: readonly Endpoint[],
    undo: CleanupStack,
  ): string {
    const { bridge, settings } = this.#options;
    const netnsPath = this.#netnsPath(containerId);
    createNetworkNamespace(netnsPath);
    undo.defer(() => removeNetworkNamespace(netnsPath));
    const refusals = prepareNamespace(netnsPath, settings);
    this.#reportOnce(refusals);
    for (const endpoint of endpoints) {
      bridge.attach({ netnsPath, endpoint });
      undo.defer(() => bridge.detach({ netnsPath, endpoint }));
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
    const [endpoint] = endpoints;
    if (endpoint === undefined || request.publish.length === 0) {
      return Promise.resolve(NOTHING_PUBLISHED);
    }
    const { endpointId, ipAddress } = endpoint;
    const target = { endpointName, endpointId, ipAddress };
    return this.#options.publisher.publish(target, request.publish);
  }

  async #restoreLocked(containerId: ContainerId, document: SandboxDocument): Promise<Sandbox> {
    const { endpoints, endpointName, published } = document;
    const netnsPath = this.#netnsPath(containerId);
    const [endpoint] = endpoints;
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
    const { bridge } = this.#options;
    const live = this.#live.get(containerId);
    const endpoints = this.#documents.get(containerId)?.value.endpoints ?? [];
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
    await attempt(() => live?.publication.close());
    for (const endpoint of endpoints) await attempt(() => bridge.detach({ netnsPath, endpoint }));
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
    this.#release(endpoints);
  }

  #release(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) this.#options.bridge.release(endpoint);
  }

  #netnsPath(containerId: ContainerId): string {
    return `${this.#documents.pathOf(containerId)}/${SANDBOX_NAMES.netns}`;
  }
}
