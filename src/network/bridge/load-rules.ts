/** Gives the packet filter to the kernel. */
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { expectSuccess, run } from '../../sys/exec/run.ts';
import { writeSetting } from '../sandbox/namespace-settings.ts';
import { bridgeRules, type RuleSettings } from './bridge-rules.ts';

const TIMEOUT_MS = 10_000;

/** What the rules are loaded with. */
export interface RuleSurroundings {
  /** The interface that leads out; undefined without one. */
  readonly uplinkName: string | undefined;
  readonly logger: Logger;
}

/**
 * Replaces the rules of all networks in one transaction. Where the kernel offers no packet filter, or nft(8) is
 * missing, containers leave with their own addresses, for which the engine answers the uplink; networks are open
 * to each other then. That is warned about, not an error: the reason is the answer.
 */
export async function loadRules(
  networks: readonly RuleSettings[],
  { uplinkName, logger }: RuleSurroundings,
): Promise<string | undefined> {
  try {
    const completed = await run(
      { file: 'nft', args: ['-f', '-'] },
      { timeoutMs: TIMEOUT_MS, stdin: bridgeRules(networks) },
    );
    expectSuccess(completed, 'load the rules of the bridge networks');
    filterNeighbours(networks, logger);
    return undefined;
  } catch (error) {
    const reason = messageOf(error);
    const path = `ipv4/conf/${uplinkName}/proxy_arp`;
    const refusals = uplinkName === undefined ? [] : writeSetting({ path, value: '1' });
    logger.warn('networks are open to each other: the packet filter cannot be set up', {
      reason,
      cure: 'install nftables; the kernel needs nf_tables with NAT',
      ...(refusals.length === 0 ? {} : { refusals: refusals.join(', ') }),
    });
    return reason;
  }
}

/**
 * Lets the filter see what stays within a bridge only when a network keeps its members apart: each packet would be
 * looked at twice for nothing. A kernel without the setting filters none of it.
 */
function filterNeighbours(networks: readonly RuleSettings[], logger: Logger): void {
  const value = networks.some((network) => !network.neighbours) ? '1' : '0';
  const paths = ['bridge/bridge-nf-call-iptables', 'bridge/bridge-nf-call-ip6tables'];
  const refusals = paths.flatMap((path) => writeSetting({ path, value }));
  if (refusals.length > 0) logger.debug('the filter of bridges stays as it is', { refusals });
}
