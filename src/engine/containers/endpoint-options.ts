/** Driver options of one endpoint, with Docker's names. Pure. */
import type { EndpointSettings } from '../../wire/container-config.ts';

const INTERFACE_NAME = 'com.docker.network.endpoint.ifname';
const SYSCTLS = 'com.docker.network.endpoint.sysctls';

const HONOURED: readonly string[] = [INTERFACE_NAME, SYSCTLS];

/** Names that the kernel takes for an interface; `lo` is there already. */
const LINK_NAME = /^(?!lo$|\.{1,2}$)[^\s/:%]{1,15}$/;
/** Settings of one interface: its name is written `IFNAME`, which the docker client sends in lower case. */
const INTERFACE_SYSCTL = /^net\.(?:ipv4|ipv6|mpls)\.[a-z]+\.ifname\.[a-z0-9_.]+=[^\s/]*$/i;

/** What an endpoint's driver options ask for. */
export interface EndpointOptions {
  readonly interfaceName?: string;
  readonly sysctls?: readonly string[];
}

/** The options of an endpoint that passed `endpointOptionProblem`. */
export function endpointOptions({ DriverOpts: options }: EndpointSettings): EndpointOptions {
  const name = options?.[INTERFACE_NAME];
  const sysctls = sysctlsOf(options?.[SYSCTLS]);
  return {
    ...(name === undefined ? {} : { interfaceName: name }),
    ...(sysctls.length === 0 ? {} : { sysctls }),
  };
}

/** One sentence for each setting of an endpoint that is kept and has no effect. */
export function ineffectiveEndpointSettings(
  networkName: string,
  { DriverOpts, IPAMConfig }: EndpointSettings,
): readonly string[] {
  const unknown = Object.keys(DriverOpts ?? {}).filter((name) => !HONOURED.includes(name));
  const linkLocal = IPAMConfig?.LinkLocalIPs ?? [];
  return [
    ...unknown.map(
      (name) =>
        `DriverOpts ${name} is discarded on network ${networkName}: no driver here knows it.`,
    ),
    ...(linkLocal.length === 0
      ? []
      : [
          `LinkLocalIPs are discarded on network ${networkName}: interfaces get the addresses of their network alone.`,
        ]),
  ];
}

/** Why an endpoint cannot have its options; undefined when it can. */
export function endpointOptionProblem(settings: EndpointSettings): string | undefined {
  const { interfaceName, sysctls = [] } = endpointOptions(settings);
  if (interfaceName !== undefined && !LINK_NAME.test(interfaceName)) {
    return `invalid interface name: ${interfaceName}`;
  }
  const bad = sysctls.find((text) => !INTERFACE_SYSCTL.test(text));
  return bad === undefined
    ? undefined
    : `invalid sysctl ${bad}: it must look like net.ipv4.conf.IFNAME.name=value`;
}

function sysctlsOf(text = ''): readonly string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
