/** Which addresses of a prefix are free. Pure: leases live in memory, their owner keeps them elsewhere. */
import { type Ipv4Prefix, lastAddressOf, networkOf } from '../../sys/netlink/ipv4.ts';

/**
 * Addresses of one prefix. Network address, broadcast address and gateway are never given out. The lowest
 * free address comes first, so an address is used again as soon as its container is gone, as with Docker.
 */
export class AddressPool {
  readonly #first: number;
  readonly #last: number;
  readonly #range: Ipv4Prefix;
  readonly #taken: Set<number>;

  /** `range` limits what `allocate` chooses from; addresses of `reserved` are taken from the beginning. */
  constructor(prefix: Ipv4Prefix, reserved: readonly number[], range: Ipv4Prefix = prefix) {
    this.#first = networkOf(prefix).address + 1;
    this.#last = lastAddressOf(prefix) - 1;
    this.#range = range;
    this.#taken = new Set(reserved);
  }

  /** Takes the lowest free address; undefined when none is left. */
  allocate(): number | undefined {
    const first = Math.max(this.#first, networkOf(this.#range).address);
    const last = Math.min(this.#last, lastAddressOf(this.#range));
    for (let address = first; address <= last; address++) {
      if (this.#take(address)) return address;
    }
    return undefined;
  }

  /** Takes one address; false when it is taken or not of this prefix. */
  reserve(address: number): boolean {
    return this.contains(address) && this.#take(address);
  }

  /** True for addresses that an interface of this prefix can have. */
  contains(address: number): boolean {
    return address >= this.#first && address <= this.#last;
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
