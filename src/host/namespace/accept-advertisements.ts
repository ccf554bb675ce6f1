/** IPv6 settings of the machine's network namespace that must be made before its uplink appears. */
import { expectSuccess, run } from '../../sys/exec/run.ts';
import type { Anchor } from './anchor.ts';

const TIMEOUT_MS = 5_000;

/**
 * Interfaces made from now on learn address and route from the router at their other end, also once the engine
 * forwards packets (value 2 of accept_ra). So a helper that is started again needs nothing of us.
 */
export async function acceptRouterAdvertisements(anchor: Anchor): Promise<void> {
  const target = ['--target', String(anchor.process.pid), '--user', '--net'];
  // Entering the user namespace makes any user its owner there; no map is needed for that.
  const write = [
    '--preserve-credentials',
    '--',
    'tee',
    '/proc/sys/net/ipv6/conf/default/accept_ra',
  ];
  const command = { file: 'nsenter', args: [...target, ...write] };
  const completed = await run(command, { stdin: '2\n', timeoutMs: TIMEOUT_MS });
  expectSuccess(completed, 'let the uplink learn its IPv6 address');
}
