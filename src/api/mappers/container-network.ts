/** Ports and networks of a container, for inspect and for the list. */
import type {
  ContainerDocument,
  NetworkFacts,
} from '../../engine/containers/container-document.ts';
import type { Endpoint, PublishedPort } from '../../network/sandbox-service.ts';
import { shortId } from '../../shared/ids.ts';
import { isPredefined } from '../../shared/predefined-networks.ts';
import type { EndpointSettings } from '../../wire/container-config.ts';
import { networkMode } from './host-config.ts';

/** One row of `Ports` in the list of containers. */
interface PortRow {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** A port bound on all addresses shows once for each family, as Docker has it. */
function hostAddresses(published: PublishedPort): readonly string[] {
  return published.hostIp === '' ? ['0.0.0.0', '::'] : [published.hostIp];
}

function networkFacts(document: ContainerDocument): NetworkFacts | undefined {
  return 'network' in document.status ? document.status.network : undefined;
}

const portKey = (port: PublishedPort) => `${port.containerPort}/${port.protocol}`;

/** `NetworkSettings.Ports`: exposed ports without a binding are null; empty when nothing runs. */
export function toPortMap(
  document: ContainerDocument,
): Record<string, { HostIp: string; HostPort: string }[] | null> {
  const facts = networkFacts(document);
  if (facts === undefined) return {};
  const exposed = Object.keys(document.config.ExposedPorts ?? {});
  const ports: Record<string, { HostIp: string; HostPort: string }[] | null> = Object.fromEntries(
    exposed.map((port) => [port, null]),
  );
  for (const published of facts.published) {
    const rows = hostAddresses(published).map((address) => ({
      HostIp: address,
      HostPort: String(published.hostPort),
    }));
    ports[portKey(published)] = [...(ports[portKey(published)] ?? []), ...rows];
  }
  return ports;
}

/** `Ports` of the list: a row for each bound address, and one for each exposed port that is not bound. */
export function toPortRows(document: ContainerDocument): readonly PortRow[] {
  const facts = networkFacts(document);
  if (facts === undefined) return [];
  const bound = facts.published.flatMap((port) =>
    hostAddresses(port).map((address) => ({
      IP: address,
      PrivatePort: port.containerPort,
      PublicPort: port.hostPort,
      Type: port.protocol,
    })),
  );
  const boundKeys = new Set(facts.published.map(portKey));
  const unbound = Object.keys(document.config.ExposedPorts ?? {}).flatMap((key) => {
    const [port = '', protocol = 'tcp'] = key.split('/');
    return boundKeys.has(key) ? [] : [{ PrivatePort: Number(port), Type: protocol }];
  });
  return [...bound, ...unbound];
}

/** `NetworkSettings.Networks`: live endpoints, or what was asked for while nothing runs. */
export function toNetworks(document: ContainerDocument): Record<string, object> {
  const live = networkFacts(document)?.endpoints ?? [];
  const names = new Set([...configuredNames(document), ...live.map((end) => end.networkName)]);
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      toEndpoint(
        document,
        name,
        live.find((end) => end.networkName === name),
      ),
    ]),
  );
}

function configuredNames(document: ContainerDocument): readonly string[] {
  const asked = Object.keys(document.endpointSettings);
  if (asked.length > 0) return asked;
  const mode = networkMode(document.hostConfig);
  return mode.startsWith('container:') ? [] : [mode];
}

function toEndpoint(document: ContainerDocument, name: string, live: Endpoint | undefined): object {
  const asked = document.endpointSettings[name] ?? {};
  return {
    IPAMConfig: asked.IPAMConfig ?? null,
    Links: asked.Links ?? null,
    Aliases: asked.Aliases ?? null,
    MacAddress: live?.macAddress ?? asked.MacAddress ?? '',
    DriverOpts: asked.DriverOpts ?? null,
    GwPriority: asked.GwPriority ?? 0,
    NetworkID: live?.networkId ?? asked.NetworkID ?? '',
    EndpointID: live?.endpointId ?? '',
    Gateway: live?.gateway ?? '',
    IPAddress: live?.ipAddress ?? '',
    IPPrefixLen: live?.prefixLength ?? 0,
    ...ipv6Fields(live),
    DNSNames: isPredefined(name) ? null : dnsNames(document, asked),
  };
}

function ipv6Fields(endpoint: Endpoint | undefined): object {
  const { gateway = '', address = '', prefixLength = 0 } = endpoint?.ipv6 ?? {};
  return { IPv6Gateway: gateway, GlobalIPv6Address: address, GlobalIPv6PrefixLen: prefixLength };
}

/** What other members of the network find the container by. */
function dnsNames(document: ContainerDocument, asked: EndpointSettings): string[] {
  const hostname = document.config.Hostname ?? '';
  const names = [document.name, ...(asked.Aliases ?? []), shortId(document.id), hostname];
  return [...new Set(names.filter((name) => name !== ''))];
}

/** `NetworkSettings` of inspect, with the fields of the default bridge that 1.51 still repeats at the top. */
export function toNetworkSettings(document: ContainerDocument): object {
  const facts = networkFacts(document);
  const bridge = facts?.endpoints.find((end) => end.networkName === 'bridge');
  return {
    Bridge: '',
    SandboxID: facts === undefined ? '' : document.id,
    SandboxKey: facts?.netnsPath ?? '',
    Ports: toPortMap(document),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.endpointId ?? '',
    Gateway: bridge?.gateway ?? '',
    ...ipv6Fields(bridge),
    IPAddress: bridge?.ipAddress ?? '',
    IPPrefixLen: bridge?.prefixLength ?? 0,
    MacAddress: bridge?.macAddress ?? '',
    Networks: toNetworks(document),
  };
}
