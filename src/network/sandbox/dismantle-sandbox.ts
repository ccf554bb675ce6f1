/** Takes a sandbox apart, as far as that goes. */
import { removeNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import type { NamedSandbox, NameService } from '../names/name-service.ts';
import type { BoundPort, Publication, Publisher } from '../publish/publisher.ts';
import type { EndpointDrivers } from './endpoint-links.ts';

/** What is left of a sandbox. */
export interface SandboxRemains
  extends Pick<NamedSandbox, 'containerId' | 'netnsPath' | 'endpoints'> {
  /** Ports as this process serves them; undefined for a sandbox of an earlier engine. */
  readonly publication: Publication | undefined;
  /** Ports as stored. */
  readonly published: readonly BoundPort[];
}

/** Where the parts came from. */
export interface SandboxParts {
  readonly networks: EndpointDrivers;
  readonly names: NameService;
  readonly publisher: Publisher;
}

/** Tries every step and returns what failed. Idempotent. */
export async function dismantleSandbox(
  remains: SandboxRemains,
  parts: SandboxParts,
): Promise<readonly unknown[]> {
  const { containerId, netnsPath, endpoints, publication, published } = remains;
  const failures: unknown[] = [];
  const attempt = async (step: () => unknown) => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(() => parts.names.remove(containerId));
  // A sandbox that an earlier engine served may still have its listeners with the host.
  await attempt(() => publication?.close() ?? parts.publisher.discard(published));
  for (const endpoint of endpoints) {
    const driver = parts.networks.tryDriver(endpoint.networkId);
    await attempt(() => driver?.detach({ netnsPath, endpoint }));
  }
  await attempt(() => removeNetworkNamespace(netnsPath));
  return failures;
}
