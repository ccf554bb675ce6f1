/** What a network is, as stored and as listed. */
import type { NetworkId } from '../shared/ids.ts';

/** A network as listed by the API. */
export interface NetworkRecord {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  readonly createdAt: string;
  /** `a.b.c.d/n`; absent for networks without addresses. */
  readonly subnet?: string;
  readonly gateway?: string;
  /** Part of the subnet that addresses are chosen from, `a.b.c.d/n`; the whole subnet when absent. */
  readonly ipRange?: string;
  /** Addresses that are never given out, by their names. */
  readonly auxAddresses?: Readonly<Record<string, string>>;
  /** True when the client named the subnet: only then may containers name their addresses. */
  readonly subnetChosen?: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly ipamOptions?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** True for a network without a way out. */
  readonly internal?: boolean;
  readonly attachable?: boolean;
}

/** A request for a network of containers. */
export interface NetworkSpec {
  readonly name: string;
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ipRange?: string;
  readonly auxAddresses: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly ipamOptions: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly internal: boolean;
  readonly attachable: boolean;
}
