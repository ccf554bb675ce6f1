/** The packet filter of the bridge networks, in the language of nft(8). Pure. */

/** What the rules of one network are about. */
export interface RuleSettings {
  readonly bridgeName: string;
  /** Networks of the bridge, `address/n`, of either family. */
  readonly subnets: readonly string[];
  /** True for a network without a way out. */
  readonly internal: boolean;
  /** False lets containers leave with their own addresses. */
  readonly masquerade: boolean;
  /** False keeps the members from each other where the kernel filters what crosses a bridge. */
  readonly neighbours: boolean;
}

/** The table that belongs to this program. */
export const RULE_TABLE = 'inet wherry';
/** Where engines before this one had their rules; one that is taken over may still have it. */
const EARLIER_TABLE = 'ip wherry';

/**
 * One transaction that replaces whatever was there: containers leave with the engine's own address, answers
 * come back to them, and nobody else reaches them through the engine, members of other networks included.
 * Published ports need no rule: the engine itself connects to the container.
 *
 * Networks are elements of sets: a packet meets the same few rules however many there are.
 */
export function bridgeRules(networks: readonly RuleSettings[]): string {
  const within = (network: RuleSettings) => `${quoted(network)} . ${quoted(network)}`;
  const leaving = networks.filter((one) => !one.internal && one.masquerade);
  const subnets = leaving.flatMap((one) => one.subnets);
  const friendly = networks.filter((one) => one.neighbours);
  const closed = networks.filter((one) => one.internal);
  return [
    // Naming a table first makes deleting it succeed when it is not there.
    ...[EARLIER_TABLE, RULE_TABLE].flatMap((table) => [`table ${table}`, `delete table ${table}`]),
    `table ${RULE_TABLE} {`,
    ...set('bridges', 'type ifname', networks.map(quoted)),
    ...set('closed', 'type ifname', closed.map(quoted)),
    ...set('friendly', 'type ifname . ifname', friendly.map(within)),
    ...set('apart', 'type ifname . ifname', networks.filter((one) => !one.neighbours).map(within)),
    ...set('leave4', 'type ipv4_addr; flags interval; auto-merge', subnets.filter(isIpv4)),
    ...set(
      'leave6',
      'type ipv6_addr; flags interval; auto-merge',
      subnets.filter((subnet) => !isIpv4(subnet)),
    ),
    '  chain leave {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    '    oifname != @bridges ip saddr @leave4 masquerade',
    '    oifname != @bridges ip6 saddr @leave6 masquerade',
    '  }',
    '  chain pass {',
    '    type filter hook forward priority filter; policy accept;',
    '    iifname . oifname @friendly accept',
    '    iifname . oifname @apart drop',
    '    iifname @closed drop',
    '    oifname @bridges ct state established,related accept',
    '    oifname @bridges drop',
    '  }',
    '}',
    '',
  ].join('\n');
}

const quoted = ({ bridgeName }: RuleSettings) => `"${bridgeName}"`;
const isIpv4 = (subnet: string) => !subnet.includes(':');

function set(name: string, type: string, elements: readonly string[]): readonly string[] {
  const filled = elements.length === 0 ? '' : ` elements = { ${elements.join(', ')} };`;
  return [`  set ${name} { ${type};${filled} }`];
}
