/** Which addresses of a network are free. Pure: leases live in memory, their owner keeps them elsewhere. */
import {
  formatIpv4,
  type Ipv4Prefix,
  lastAddressOf,
  networkOf,
  parseIpv4,
} from '../../sys/netlink/ipv4.ts';
import {
  formatIpv6,
  type Ipv6Prefix,
  ipv6NetworkOf,
  lastIpv6AddressOf,
  parseIpv6,
} from '../../sys/netlink/ipv6.ts';

/** What a pool of one family gives out. */
export interface PoolDemand<Prefix> {
  /** The network, with or without host bits. */
  readonly prefix: Prefix;
  /** Part of it that `allocate` chooses from; all of it when absent. */
  readonly range?: Prefix | undefined;
  /** Addresses that are taken from the beginning. */
  readonly reserved: readonly string[];
}

/** Numbers from `first` to `last`, both included. */
interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** How addresses of a family are written. */
interface Notation {
  parse(text: string): bigint | undefined;
  format(value: bigint): string;
}

/** A pool without the network's own and its broadcast address. */
export function ipv4Pool({ prefix, range, reserved }: PoolDemand<Ipv4Prefix>): AddressPool {
  const { first, last } = ipv4Span(prefix);
  const hosts = { first: first + 1n, last: last - 1n };
  return new AddressPool(IPV4, { hosts, choice: ipv4Span(range ?? prefix) }, reserved);
}

/** A pool without the first address, which means any router of the network. */
export function ipv6Pool({ prefix, range, reserved }: PoolDemand<Ipv6Prefix>): AddressPool {
  const { first, last } = ipv6Span(prefix);
  const hosts = { first: first + 1n, last };
  return new AddressPool(IPV6, { hosts, choice: ipv6Span(range ?? prefix) }, reserved);
}

/**
 * Addresses of one network. The lowest free address comes first, so an address is used again as soon as its
 * container is gone, as with Docker.
 */
export class AddressPool {
  readonly #notation: Notation;
  readonly #hosts: Span;
  readonly #choice: Span;
  readonly #taken = new Set<bigint>();
  /** Nothing that may be chosen is free below. */
  #next: bigint;

  constructor(
    notation: Notation,
    spans: { hosts: Span; choice: Span },
    reserved: readonly string[],
  ) {
    const { hosts, choice } = spans;
    this.#notation = notation;
    this.#hosts = hosts;
    this.#choice = {
      first: larger(choice.first, hosts.first),
      last: -larger(-choice.last, -hosts.last),
    };
    this.#next = this.#choice.first;
    for (const text of reserved) this.#take(notation.parse(text));
  }

  /** Takes the lowest free address; undefined when none is left. */
  allocate(): string | undefined {
    while (this.#next <= this.#choice.last) {
      const address = this.#next++;
      if (this.#take(address)) return this.#notation.format(address);
    }
    return undefined;
  }

  /** Takes one address; false when it is taken or not of this network. */
  reserve(text: string): boolean {
    return this.contains(text) && this.#take(this.#notation.parse(text));
  }

  /** True for addresses that an interface of this network can have. */
  contains(text: string): boolean {
    const address = this.#notation.parse(text);
    return address !== undefined && address >= this.#hosts.first && address <= this.#hosts.last;
  }

  /** The one way to write an address of this network. */
  canonical(text: string): string {
    const address = this.#notation.parse(text);
    return address === undefined ? text : this.#notation.format(address);
  }

  /** Gives an address back. Idempotent. */
  release(text: string): void {
    const address = this.#notation.parse(text);
    if (address === undefined || !this.#taken.delete(address)) return;
    if (address >= this.#choice.first && address < this.#next) this.#next = address;
  }

  #take(address: bigint | undefined): boolean {
    if (address === undefined || this.#taken.has(address)) return false;
    this.#taken.add(address);
    return true;
  }
}

/** `Math.max` takes no such numbers. */
function larger(left: bigint, right: bigint): bigint {
  if (left > right) return left;
  return right;
}

const IPV4: Notation = {
  parse: (text) => {
    const address = parseIpv4(text);
    return address === undefined ? undefined : BigInt(address);
  },
  format: (value) => formatIpv4(Number(value)),
};

const IPV6: Notation = { parse: parseIpv6, format: formatIpv6 };

function ipv4Span(prefix: Ipv4Prefix): Span {
  return { first: BigInt(networkOf(prefix).address), last: BigInt(lastAddressOf(prefix)) };
}

function ipv6Span(prefix: Ipv6Prefix): Span {
  return { first: ipv6NetworkOf(prefix).address, last: lastIpv6AddressOf(prefix) };
}
