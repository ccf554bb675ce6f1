/** The packet filter that leads connections to the proxy, in the language of nft(8). Pure. */

/** Stands for the host itself: its loopback first. In the uplink's network, where nothing else has it. */
export const HOST_GATE = '10.0.2.4';
/** Where names are asked for without an uplink: the address that an uplink would have for that. */
export const RELAY_ADDRESS = '10.0.2.3';

/** What the rules depend on. */
export interface ProxyRuleSettings {
  /** Port of the proxy, at `HOST_GATE`. */
  readonly port: number;
  /** True when an uplink carries what is not for the host itself. */
  readonly hasUplink: boolean;
  /** An address of the host that others reach it at; empty for none. */
  readonly hostAddress: string;
}

/** One transaction that replaces whatever was there. */
export function proxyRules({ port, hasUplink, hostAddress }: ProxyRuleSettings): string {
  const toProxy = `meta l4proto tcp dnat to ${HOST_GATE}:${port}`;
  // Datagrams have no connection to hand over: they take the way of all others to the host.
  const datagrams = `    ip daddr ${HOST_GATE} meta l4proto udp dnat to ${hostAddress}`;
  const forRelay = `    ip daddr ${RELAY_ADDRESS} ${toProxy}`;
  return [
    'table ip wherry_proxy',
    'delete table ip wherry_proxy',
    'table ip wherry_proxy {',
    '  chain arriving {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    `    ip daddr ${HOST_GATE} ${toProxy}`,
    ...(hasUplink && hostAddress !== '' ? [datagrams] : []),
    ...(hasUplink ? [] : [forRelay, `    fib daddr type != local ${toProxy}`]),
    '  }',
    '  chain leaving {',
    '    type nat hook output priority -100; policy accept;',
    ...(hasUplink ? [] : [forRelay]),
    '  }',
    '}',
    '',
  ].join('\n');
}
