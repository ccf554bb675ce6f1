/** The driver of a network that the kernel would not make: everything else works, and who joins is told why. */
import type { NetworkDriver } from '../network-driver.ts';
import { networkUnusable } from '../network-errors.ts';
import type { Endpoint } from '../sandbox-service.ts';

const nothing = (): void => undefined;

/** See `NetworkDriver` for the contract; `plan` is always `unavailable`, so that nothing is ever attached. */
export class UnusableNetwork implements NetworkDriver {
  readonly interfacePrefix = 'eth';
  readonly #name: string;
  readonly #reason: string;

  constructor(name: string, reason: string) {
    this.#name = name;
    this.#reason = reason;
  }

  plan(): Endpoint {
    throw networkUnusable(this.#name, this.#reason);
  }

  attach(): void {
    throw networkUnusable(this.#name, this.#reason);
  }

  isUsed(): boolean {
    return false;
  }

  // Endpoints of an earlier engine have nothing here that could be kept or taken away.
  adopt = nothing;
  release = nothing;
  detach = nothing;
  unplug = nothing;
}
