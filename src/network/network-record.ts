/** What a network is, as stored and as listed. */
import type { NetworkId } from '../shared/ids.ts';

/** The addresses of a network in one family. */
export interface AddressPlan {
  /** `address/n` without host bits. */
  readonly subnet: string;
  readonly gateway: string;
  /** Part of the subnet that addresses are chosen from; the whole subnet when absent. */
  readonly ipRange?: string;
  /** Addresses that are never given out, by their names. */
  readonly auxAddresses?: Readonly<Record<string, string>>;
  /** True when the client named the subnet: only then may containers name their addresses. */
  readonly subnetChosen?: boolean;
}

/** What a client asks for of the addresses of one family. */
export interface AddressWishes {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ipRange?: string;
  readonly auxAddresses: Readonly<Record<string, string>>;
}

/** A network as listed by the API; the fields of `AddressPlan` are about IPv4. */
export interface NetworkRecord extends Partial<AddressPlan> {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  readonly createdAt: string;
  /** IPv6 addresses; absent for networks without. */
  readonly ipv6?: AddressPlan;
  readonly options: Readonly<Record<string, string>>;
  readonly ipamOptions?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** True for a network without a way out. */
  readonly internal?: boolean;
  readonly attachable?: boolean;
}

/** A request for a network of containers; the wishes at the top are about IPv4. */
export interface NetworkSpec extends AddressWishes {
  readonly name: string;
  /** IPv6 besides; absent for none. */
  readonly ipv6?: AddressWishes;
  readonly options: Readonly<Record<string, string>>;
  readonly ipamOptions?: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly internal: boolean;
  readonly attachable: boolean;
}
