/** The packet filter of the bridge network, in the language of nft(8). Pure. */

/** What the rules are about. */
export interface RuleSettings {
  readonly bridgeName: string;
  /** Network of the bridge, `a.b.c.d/n`. */
  readonly subnet: string;
}

/** The table that belongs to this program. */
export const RULE_TABLE = 'ip wherry';

/**
 * One transaction that replaces whatever was there: containers leave with the engine's own address, answers
 * come back to them, and nobody else reaches them through the engine. Published ports need no rule: the engine
 * itself connects to the container.
 */
export function bridgeRules(settings: RuleSettings): string {
  const bridge = `"${settings.bridgeName}"`;
  return [
    // Naming the table first makes deleting it succeed when it is not there.
    `table ${RULE_TABLE}`,
    `delete table ${RULE_TABLE}`,
    `table ${RULE_TABLE} {`,
    '  chain leave {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    `    ip saddr ${settings.subnet} oifname != ${bridge} masquerade`,
    '  }',
    '  chain pass {',
    '    type filter hook forward priority filter; policy accept;',
    `    iifname ${bridge} accept`,
    `    oifname ${bridge} ct state established,related accept`,
    `    oifname ${bridge} drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}
