/** Which networks a container joins, and how. Pure. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import type { CreateContainerRequest } from '../../api/backends.ts';
import type { AddressPlan, NetworkRecord } from '../../network/network-record.ts';
import type { EndpointRequest } from '../../network/sandbox-service.ts';
import { shortId } from '../../shared/ids.ts';
import { isPredefined } from '../../shared/predefined-networks.ts';
import type { EndpointSettings } from '../../wire/container-config.ts';
import { findNetwork, tryFindNetwork } from '../networks/find-network.ts';
import {
  addressNeedsChosenSubnet,
  addressNeedsUserNetwork,
  aliasNeedsUserNetwork,
  hostNetworkConflict,
  invalidEndpoint,
  noneNetworkConflict,
} from '../networks/network-errors.ts';
import type { ContainerDocument } from './container-document.ts';
import { endpointOptionProblem, endpointOptions } from './endpoint-options.ts';
import { parseLink } from './links.ts';
import { parseNetworkMode } from './network-mode.ts';

/** Endpoint settings by the name of their network. */
type EndpointsByName = ContainerDocument['endpointSettings'];

/** The key that stands for "no network" when a container was taken off all of its networks. */
export const NO_NETWORK = 'none';

/**
 * The endpoints that a create request asks for, by the name of their network; that of the mode comes first. A
 * network that does not exist is an error of the start, as with Docker. `invalid-argument` for settings that an
 * endpoint cannot have.
 */
export function endpointsOf(
  networks: readonly NetworkRecord[],
  request: Pick<CreateContainerRequest, 'hostConfig' | 'networkingConfig'>,
): EndpointsByName {
  const mode = parseNetworkMode(request.hostConfig.NetworkMode);
  if (mode.kind === 'container') return {};
  const given = new Map<string, EndpointSettings>();
  const put = (ref: string, settings: EndpointSettings) => {
    const record = tryFindNetwork(networks, ref);
    if (record !== undefined) checkEndpointSettings(record, settings);
    given.set(record?.name ?? ref, record ? { ...settings, NetworkID: record.id } : settings);
    return record?.name ?? ref;
  };
  for (const [ref, settings] of Object.entries(request.networkingConfig.EndpointsConfig ?? {})) {
    put(ref, settings ?? {});
  }
  const modeRef = mode.kind === 'network' ? mode.ref : mode.kind;
  const modeName = tryFindNetwork(networks, modeRef)?.name ?? modeRef;
  // The default network is joined only when no other is named.
  if (!given.has(modeName) && (given.size === 0 || mode.kind !== 'bridge')) put(modeRef, {});
  checkCombination([...given.keys()]);
  const ordered = [...given].toSorted(
    ([left], [right]) => Number(right === modeName) - Number(left === modeName),
  );
  return Object.fromEntries(ordered);
}

function checkCombination(names: readonly string[]): void {
  if (names.length < 2) return;
  if (names.includes('host')) throw hostNetworkConflict();
  if (names.includes(NO_NETWORK)) throw noneNetworkConflict();
}

/** `invalid-argument` for settings that an endpoint on this network cannot have. */
export function checkEndpointSettings(record: NetworkRecord, settings: EndpointSettings): void {
  const { IPv4Address: address = '', IPv6Address: ipv6 = '' } = settings.IPAMConfig ?? {};
  const userDefined = !isPredefined(record.name);
  for (const link of settings.Links ?? []) parseLink(link);
  if ((settings.Aliases ?? []).length > 0 && !userDefined) throw aliasNeedsUserNetwork();
  const problem = endpointOptionProblem(settings);
  if (problem !== undefined) throw invalidEndpoint(record.name, problem);
  const notAnAddress = (settings.IPAMConfig?.LinkLocalIPs ?? []).find((one) => isIP(one) === 0);
  if (notAnAddress !== undefined) {
    throw invalidEndpoint(record.name, `invalid link-local IP address: ${notAnAddress}`);
  }
  if ((address !== '' || ipv6 !== '') && !userDefined) throw addressNeedsUserNetwork();
  if (address !== '') checkAddress(record, record, { address, family: 'ipv4' });
  if (ipv6 !== '') checkAddress(record, record.ipv6, { address: ipv6, family: 'ipv6' });
}

/** `invalid-argument` for an address that is none, or not one of those that `plan` leaves to the client. */
function checkAddress(
  record: NetworkRecord,
  plan: Partial<AddressPlan> | undefined,
  wanted: { readonly address: string; readonly family: 'ipv4' | 'ipv6' },
): void {
  const { address, family } = wanted;
  const isAddress = family === 'ipv4' ? isIPv4(address) : isIPv6(address);
  const name = family === 'ipv4' ? 'IPv4' : 'IPv6';
  if (!isAddress) throw invalidEndpoint(record.name, `invalid ${name} address: ${address}`);
  if (plan !== undefined && plan.subnetChosen !== true) throw addressNeedsChosenSubnet();
  const [network = '', length = ''] = plan?.subnet?.split('/') ?? [];
  const list = new BlockList();
  if (network !== '') list.addSubnet(network, Number(length), family);
  if (!list.check(address, family)) {
    throw invalidEndpoint(record.name, `no configured subnet contains IP address ${address}`);
  }
}

/** What the sandbox of a container joins; nothing for mode `none`. `not-found` when a network has gone. */
export function endpointRequests(
  document: ContainerDocument,
  networks: readonly NetworkRecord[],
): readonly EndpointRequest[] {
  const asked = Object.entries(document.endpointSettings);
  const mode = document.hostConfig.NetworkMode ?? 'bridge';
  const endpoints = asked.length === 0 ? [[mode, {}] as const] : asked;
  return endpoints
    .filter(([name]) => name !== NO_NETWORK)
    .map(([name, settings]) => endpointRequest(document, findNetwork(networks, name), settings));
}

/** How a container joins one network. */
export function endpointRequest(
  document: ContainerDocument,
  record: NetworkRecord,
  settings: EndpointSettings,
): EndpointRequest {
  const { IPv4Address: ipAddress, IPv6Address: ipv6Address } = settings.IPAMConfig ?? {};
  const legacyMac = record.name === 'bridge' ? document.config.MacAddress : undefined;
  const macAddress = settings.MacAddress || legacyMac;
  return {
    networkId: record.id,
    names: endpointNames(document, record.name, settings),
    ...(settings.Links?.length ? { links: settings.Links.map(linkPair) } : {}),
    ...(ipAddress ? { ipAddress } : {}),
    ...(ipv6Address ? { ipv6Address } : {}),
    ...endpointOptions(settings),
    ...(macAddress ? { macAddress } : {}),
    ...(settings.GwPriority ? { gatewayPriority: settings.GwPriority } : {}),
  };
}

function linkPair(text: string): readonly [string, string] {
  const { alias, name } = parseLink(text);
  return [alias, name];
}

/** The names of a container on one network; the default networks have no name service. */
function endpointNames(
  document: Pick<ContainerDocument, 'id' | 'name' | 'config'>,
  networkName: string,
  settings: EndpointSettings,
): readonly string[] {
  if (isPredefined(networkName)) return [];
  const { Hostname: hostname } = document.config;
  const names = [document.name, ...(settings.Aliases ?? []), shortId(document.id), hostname ?? ''];
  return [...new Set(names.filter((name) => name !== ''))];
}
