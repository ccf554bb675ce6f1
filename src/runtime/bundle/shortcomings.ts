/** What of a container's settings this machine cannot give, in words for the client. */
import type { HostConfig, Ulimit } from '../../wire/container-config.ts';
import { checkProcessors, limitWarnings } from '../limits/limit-warnings.ts';
import { checkCapabilities } from './capabilities.ts';
import { hardLimitOf } from './rlimits.ts';
import { parseSecurityOptions } from './security-options.ts';
import type { SpecFacts } from './spec-facts.ts';

/**
 * One sentence for each setting that is bent to what the engine's own process is allowed. `invalid-argument` for
 * processors that are not there, and for capabilities and security options that do not exist.
 */
export function shortcomings(
  hostConfig: HostConfig,
  facts: Pick<SpecFacts, 'hardLimits' | 'oomScoreAdj' | 'limits'>,
): readonly string[] {
  const { Ulimits, OomScoreAdj } = hostConfig;
  checkCapabilities(hostConfig);
  parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  checkProcessors(hostConfig, facts.limits);
  return [
    ...limitWarnings(hostConfig, facts.limits),
    ...(Ulimits ?? []).flatMap((ulimit) => ulimitWarning(ulimit, facts.hardLimits)),
    ...oomScoreWarning(OomScoreAdj ?? 0, facts.oomScoreAdj),
  ];
}

function ulimitWarning(
  { Name, Soft, Hard }: Ulimit,
  hardLimits: ReadonlyMap<string, number>,
): readonly string[] {
  const most = hardLimitOf(Name, hardLimits);
  const wanted = [Soft, Hard].map((value) => (value < 0 ? Number.POSITIVE_INFINITY : value));
  if (Math.max(...wanted) <= most) return [];
  return [`The ulimit ${Name} is lowered to ${most}, the hard limit of the user of this engine.`];
}

/** Nobody asks for 0: it is what a client sends that has nothing to say. */
function oomScoreWarning(wanted: number, own: number): readonly string[] {
  if (wanted === 0 || wanted >= own) return [];
  return [
    `OomScoreAdj is raised to ${own}, the score of this engine: going below takes a privilege.`,
  ];
}
