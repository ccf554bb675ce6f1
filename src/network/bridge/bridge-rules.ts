/** The packet filter of the bridge networks, in the language of nft(8). Pure. */

/** What the rules of one network are about. */
export interface RuleSettings {
  readonly bridgeName: string;
  /** Network of the bridge, `a.b.c.d/n`. */
  readonly subnet: string;
  /** True for a network without a way out. */
  readonly internal: boolean;
  /** False keeps the members from each other where the kernel filters what crosses a bridge. */
  readonly neighbours: boolean;
}

/** The table that belongs to this program. */
export const RULE_TABLE = 'ip wherry';

/**
 * One transaction that replaces whatever was there: containers leave with the engine's own address, answers
 * come back to them, and nobody else reaches them through the engine, members of other networks included.
 * Published ports need no rule: the engine itself connects to the container.
 */
export function bridgeRules(networks: readonly RuleSettings[]): string {
  const quoted = (network: RuleSettings) => `"${network.bridgeName}"`;
  const all = networks.map(quoted).join(', ');
  const leave = networks
    .filter(({ internal }) => !internal)
    .map((one) => `    ip saddr ${one.subnet} oifname != ${quoted(one)} masquerade`);
  const within = networks.map(
    (one) =>
      `    iifname ${quoted(one)} oifname ${quoted(one)} ${one.neighbours ? 'accept' : 'drop'}`,
  );
  const inside = networks.filter(({ internal }) => internal).map((one) => quoted(one));
  const closed = inside.length === 0 ? [] : [`    iifname { ${inside.join(', ')} } drop`];
  return [
    // Naming the table first makes deleting it succeed when it is not there.
    `table ${RULE_TABLE}`,
    `delete table ${RULE_TABLE}`,
    `table ${RULE_TABLE} {`,
    '  chain leave {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...leave,
    '  }',
    '  chain pass {',
    '    type filter hook forward priority filter; policy accept;',
    ...within,
    ...closed,
    `    oifname { ${all} } ct state established,related accept`,
    `    oifname { ${all} } drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}
