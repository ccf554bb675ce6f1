/** Makes the network namespace of a sandbox, with its interfaces. */
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { Logger } from '../../shared/logger.ts';
import { createNetworkNamespace, removeNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import type { Endpoint } from '../sandbox-service.ts';
import { type EndpointDrivers, gatewayEndpoint, ipv6GatewayEndpoint } from './endpoint-links.ts';
import { type KernelSetting, prepareNamespace } from './namespace-settings.ts';

/** What namespaces are made with. */
export interface NamespaceMakerOptions {
  readonly networks: EndpointDrivers;
  readonly settings: readonly KernelSetting[];
  readonly logger: Logger;
}

export class NamespaceMaker {
  readonly #options: NamespaceMakerOptions;
  /** Refused kernel settings that were warned about. */
  readonly #reported = new Set<string>();

  constructor(options: NamespaceMakerOptions) {
    this.#options = options;
  }

  /** Pins a namespace at `netnsPath` and attaches planned endpoints; `undo` takes both away. */
  make(netnsPath: string, endpoints: readonly Endpoint[], undo: CleanupStack): void {
    const { networks, settings } = this.#options;
    createNetworkNamespace(netnsPath);
    undo.defer(() => removeNetworkNamespace(netnsPath));
    this.#reportOnce(prepareNamespace(netnsPath, settings));
    const gateway = gatewayEndpoint(endpoints);
    const ipv6Gateway = ipv6GatewayEndpoint(endpoints);
    for (const endpoint of endpoints) {
      const driver = networks.driver(endpoint.networkId);
      const [isGateway, isIpv6Gateway] = [endpoint === gateway, endpoint === ipv6Gateway];
      driver.attach({ netnsPath, endpoint, isGateway, isIpv6Gateway });
      undo.defer(() => driver.detach({ netnsPath, endpoint }));
    }
  }

  /** What the kernel refuses to one container it refuses to all. */
  #reportOnce(refusals: readonly string[]): void {
    for (const refusal of refusals.filter((text) => !this.#reported.has(text))) {
      this.#reported.add(refusal);
      this.#options.logger.warn('the kernel refuses a setting of containers', { refusal });
    }
  }
}
