/** Driver options of bridge networks, with Docker's names. Pure. */
import { isIP } from 'node:net';
import { invalidNetworkOption, unsupportedNetworkOption } from '../network-errors.ts';
import type { NetworkRecord } from '../network-record.ts';

type Options = Readonly<Record<string, string>>;

const PREFIX = 'com.docker.network.';
const MTU = `${PREFIX}driver.mtu`;
const INTERFACE_PREFIX = `${PREFIX}container_iface_prefix`;
const BRIDGE_NAME = `${PREFIX}bridge.name`;
const ICC = `${PREFIX}bridge.enable_icc`;
const MASQUERADE = `${PREFIX}bridge.enable_ip_masquerade`;
const HOST_BINDING = `${PREFIX}bridge.host_binding_ipv4`;
const GATEWAY_MODES = [`${PREFIX}bridge.gateway_mode_ipv4`, `${PREFIX}bridge.gateway_mode_ipv6`];
const KNOWN = new Set([
  ...[MTU, INTERFACE_PREFIX, BRIDGE_NAME, ICC, MASQUERADE, HOST_BINDING],
  ...GATEWAY_MODES,
]);

/** Names that the kernel takes for an interface. */
const INTERFACE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/;
/** A prefix leaves room for a number. */
const SHORT_NAME = /^[a-zA-Z][a-zA-Z0-9_.-]{0,11}$/;
const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** The least that an IPv6 link carries (RFC 8200, section 5). */
const IPV6_MTU = 1280;

/** Throws `invalid-argument` for a value that an option cannot have, or that cannot be had here. */
export function checkNetworkOptions(options: Options, { ipv6 }: { ipv6: boolean }): void {
  const check = (name: string, isValid: (value: string) => boolean) => {
    const value = options[name];
    if (value !== undefined && !isValid(value)) throw invalidNetworkOption(name, value);
  };
  check(MTU, (mtu) => isMtu(mtu) && (!ipv6 || Number(mtu) >= IPV6_MTU));
  check(BRIDGE_NAME, (name) => name === '' || INTERFACE_NAME.test(name));
  check(INTERFACE_PREFIX, (name) => SHORT_NAME.test(name));
  check(HOST_BINDING, (address) => isIP(address) !== 0);
  for (const name of [ICC, MASQUERADE]) check(name, (value) => [...TRUE, ...FALSE].includes(value));
  for (const name of GATEWAY_MODES) {
    const mode = options[name] ?? 'nat';
    if (mode === 'nat') continue;
    if (!['routed', 'isolated', 'nat-unprotected'].includes(mode)) {
      throw invalidNetworkOption(name, mode);
    }
    throw unsupportedNetworkOption(name, mode);
  }
}

/** A sentence for each option of Docker's that has no effect here. */
export function optionWarnings(options: Options): readonly string[] {
  return Object.keys(options)
    .filter((name) => name.startsWith(PREFIX) && !KNOWN.has(name))
    .map((name) => `network option ${name} has no effect`);
}

/** The MTU that a network's options ask for; undefined for none. */
export function mtuOf(options: Options): number | undefined {
  const value = options[MTU];
  return value === undefined ? undefined : Number(value);
}

/** The interface name of a network's bridge. */
export function bridgeNameOf(record: Pick<NetworkRecord, 'id' | 'options'>): string {
  return record.options[BRIDGE_NAME] || `br-${record.id.slice(0, 12)}`;
}

/** What the names of interfaces inside of containers begin with. */
export function interfacePrefixOf(options: Options): string {
  return options[INTERFACE_PREFIX] ?? 'eth';
}

/** False when the members of a network may not reach each other. */
export function allowsNeighbours(options: Options): boolean {
  return TRUE.includes(options[ICC] ?? 'true');
}

/** False when the members of a network leave with their own addresses, which nobody outside answers to. */
export function masquerades(options: Options): boolean {
  return TRUE.includes(options[MASQUERADE] ?? 'true');
}

/** The host address of published ports that name none; empty for all addresses. */
export function hostBindingOf(options: Options): string {
  const address = options[HOST_BINDING] ?? '';
  return address === '0.0.0.0' ? '' : address;
}

function isMtu(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 68 && Number(text) <= 65535;
}
