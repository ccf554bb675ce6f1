/** Contents of a container's `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`. Pure. */
import { isIP } from 'node:net';
import type { HostConfig } from '../wire/container-config.ts';
import { NAME_SERVER_ADDRESS } from './names/name-server-address.ts';
import { hostGatewayUnknown, invalidExtraHost } from './network-errors.ts';

/** What the files of one container depend on. */
export interface NameFileInput {
  readonly hostname: string;
  /** Empty for none. */
  readonly domainname: string;
  /** The container's own addresses. */
  readonly ipAddresses: readonly string[];
  /** Address and names of each linked container. */
  readonly links: readonly (readonly [string, string])[];
  /** True when the engine answers for names inside of the container: it is the only name server then. */
  readonly nameService: boolean;
  readonly hostConfig: Pick<HostConfig, 'Dns' | 'DnsOptions' | 'DnsSearch' | 'ExtraHosts'>;
  /** True when the container is in the host's network: then the machine's own hosts file and name servers count. */
  readonly hostNetwork: boolean;
}

/** What all containers share. */
export interface NameFileDefaults {
  /** Name servers of the container's network. */
  readonly nameservers: readonly string[];
  /** Search domains and options of the machine's own resolver. */
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** What `host-gateway` stands for in extra hosts; empty when the host has no address to offer. */
  readonly hostGatewayIp: string;
  /** Address of `host.docker.internal` for containers that no name server answers; empty for none. */
  readonly hostInternalIp: string;
  /** The machine's own `/etc/hosts`. */
  readonly hostsOfMachine: string;
  /** Name servers of the machine's own resolver. */
  readonly nameserversOfMachine: readonly string[];
}

/** The three files. */
export interface NameFileContents {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** Entries that every hosts file of Docker's begins with. */
const LOCAL_ENTRIES: readonly (readonly [string, string])[] = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
];

const HOST_GATEWAY = 'host-gateway';
/** By what name containers know the host. */
export const HOST_NAME = 'host.docker.internal';

/** Renders all three. `invalid-argument` for an extra host that is none. */
export function renderNameFiles(
  input: NameFileInput,
  defaults: NameFileDefaults,
): NameFileContents {
  return {
    hosts: renderHosts(input, defaults),
    hostname: `${input.hostname}\n`,
    resolvConf: renderResolvConf(input, defaults),
  };
}

function renderHosts(input: NameFileInput, defaults: NameFileDefaults): string {
  const extra = (input.hostConfig.ExtraHosts ?? []).map((text) =>
    parseExtraHost(text, defaults.hostGatewayIp),
  );
  if (input.hostNetwork) return withFinalNewline(defaults.hostsOfMachine) + hostLines(extra);
  const names = ownNames(input.hostname, input.domainname);
  const own = input.ipAddresses.map((address): [string, string] => [address, names]);
  return hostLines([
    ...LOCAL_ENTRIES,
    ...extra,
    ...hostEntry(input, extra, defaults),
    ...input.links,
    ...own,
  ]);
}

/** The host's own name, unless the request says what it means or our name server does. */
function hostEntry(
  input: NameFileInput,
  extra: readonly (readonly [string, string])[],
  { hostInternalIp }: NameFileDefaults,
): readonly [string, string][] {
  const isKnown = input.nameService || extra.some(([, name]) => name === HOST_NAME);
  const isReachable = hostInternalIp !== '' && input.ipAddresses.length > 0;
  return isKnown || !isReachable ? [] : [[hostInternalIp, HOST_NAME]];
}

/** `name.domain name` or the name alone. */
function ownNames(hostname: string, domainname: string): string {
  return domainname === '' ? hostname : `${hostname}.${domainname} ${hostname}`;
}

/** `name:address` or `name=address`; the address may be IPv6, in brackets or bare. */
function parseExtraHost(text: string, hostGatewayIp: string): [string, string] {
  const match = /^([^\s:=]+)[:=](\S+)$/.exec(text);
  const [, name = '', written = ''] = match ?? [];
  if (written === HOST_GATEWAY && hostGatewayIp === '') throw hostGatewayUnknown();
  const address = written === HOST_GATEWAY ? hostGatewayIp : written.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0) throw invalidExtraHost(text);
  return [address, name];
}

function hostLines(entries: readonly (readonly [string, string])[]): string {
  return entries.map(([address, names]) => `${address}\t${names}\n`).join('');
}

function renderResolvConf(input: NameFileInput, defaults: NameFileDefaults): string {
  const { hostConfig, nameService } = input;
  const usual = input.hostNetwork ? defaults.nameserversOfMachine : defaults.nameservers;
  const outside = given(hostConfig.Dns) ?? usual;
  const nameservers = nameService ? [NAME_SERVER_ADDRESS] : outside;
  const search = given(hostConfig.DnsSearch) ?? defaults.search;
  const chosen = given(hostConfig.DnsOptions) ?? defaults.options;
  const hasDots = chosen.some((option) => option.startsWith('ndots:'));
  // Names of containers have no dot: the search list must not come first.
  const options = nameService && !hasDots ? [...chosen, 'ndots:0'] : chosen;
  // A single dot asks for no search list at all (resolv.conf(5) has no way to say so).
  const wanted = search.filter((domain) => domain !== '.');
  return [
    ...nameservers.map((address) => `nameserver ${address}\n`),
    ...(wanted.length === 0 ? [] : [`search ${wanted.join(' ')}\n`]),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}\n`]),
  ].join('');
}

function given(list: readonly string[] | null | undefined): readonly string[] | undefined {
  return list === null || list === undefined || list.length === 0 ? undefined : list;
}

function withFinalNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
