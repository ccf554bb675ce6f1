/** Which addresses of a prefix are free. Pure: leases live in memory, their owner keeps them elsewhere. */
import { type Ipv4Prefix, lastAddressOf, networkOf } from '../../sys/netlink/ipv4.ts';

/**
 * Addresses of one prefix. Network address, broadcast address and gateway are never given out. The lowest
 * free address comes first, so an address is used again as soon as its container is gone, as with Docker.
 */
export class AddressPool {
  readonly #first: number;
  readonly #last: number;
  readonly #taken: Set<number>;

  constructor(prefix: Ipv4Prefix, gateway: number) {
    this.#first = networkOf(prefix).address + 1;
    this.#last = lastAddressOf(prefix) - 1;
    this.#taken = new Set([gateway]);
  }

  /** Takes the lowest free address; undefined when none is left. */
  allocate(): number | undefined {
    for (let address = this.#first; address <= this.#last; address++) {
      if (this.#take(address)) return address;
    }
    return undefined;
  }

  /** Takes one address; false when it is taken or not of this prefix. */
  reserve(address: number): boolean {
    return address >= this.#first && address <= this.#last && this.#take(address);
  }

  /** Gives an address back. Idempotent. */
  release(address: number): void {
    this.#taken.delete(address);
  }

  #take(address: number): boolean {
    if (this.#taken.has(address)) return false;
    this.#taken.add(address);
    return true;
  }
}
