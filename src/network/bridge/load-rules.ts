/** Gives the packet filter to the kernel. */
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { expectSuccess, run } from '../../sys/exec/run.ts';
import { bridgeRules, type RuleSettings } from './bridge-rules.ts';

const TIMEOUT_MS = 10_000;

/**
 * Replaces the rules of all networks in one transaction. Where the kernel offers no packet filter, or nft(8) is
 * missing, containers reach each other and the engine only; that is warned about, not an error.
 */
export async function loadRules(networks: readonly RuleSettings[], logger: Logger): Promise<void> {
  try {
    const completed = await run(
      { file: 'nft', args: ['-f', '-'] },
      { timeoutMs: TIMEOUT_MS, stdin: bridgeRules(networks) },
    );
    expectSuccess(completed, 'load the rules of the bridge networks');
  } catch (error) {
    logger.warn('containers have no way out: the packet filter cannot be set up', {
      reason: messageOf(error),
      cure: 'install nftables; the kernel needs nf_tables with NAT',
    });
  }
}
