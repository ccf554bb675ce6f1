/** Rules about system calls that hold under conditions, and how they become the runtime's list. */
import type { SpecSeccomp, SpecSeccompArg } from '../../oci/runtime-spec.ts';

/** When a rule holds. Every given condition must be met. */
export interface RuleCondition {
  /** Any of these capabilities. */
  readonly capabilities?: readonly string[];
  /** Any of these architectures, in Go's names as Docker's profiles use them. */
  readonly architectures?: readonly string[];
}

/** What is done about some system calls. */
export interface ConditionalRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SpecSeccompArg[];
  readonly when?: RuleCondition;
  readonly unless?: RuleCondition;
}

/** A whole profile. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly rules: readonly ConditionalRule[];
}

/** What the conditions are compared with. */
export interface SeccompContext {
  /** In Go's names: `amd64`, `arm64`, … */
  readonly architecture: string;
  readonly capabilities: ReadonlySet<string>;
}

/** Go's name, and what seccomp calls the architecture and the older ones that its kernels also run. */
interface ArchitectureNames {
  readonly goName: string;
  readonly seccomp: readonly string[];
}

const ARCHITECTURES: Readonly<Record<string, ArchitectureNames>> = {
  x64: { goName: 'amd64', seccomp: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
  arm64: { goName: 'arm64', seccomp: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'] },
  arm: { goName: 'arm', seccomp: ['SCMP_ARCH_ARM'] },
  ppc64: { goName: 'ppc64le', seccomp: ['SCMP_ARCH_PPC64LE'] },
  s390x: { goName: 's390x', seccomp: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'] },
  riscv64: { goName: 'riscv64', seccomp: ['SCMP_ARCH_RISCV64'] },
};

/** Go's name of a `process.arch`; the name itself when there is no other. */
export function goArchitecture(nodeArchitecture: string): string {
  return ARCHITECTURES[nodeArchitecture]?.goName ?? nodeArchitecture;
}

/** The runtime's form of a profile, with the rules whose conditions are met. */
export function resolveSeccomp(profile: SeccompProfile, context: SeccompContext): SpecSeccomp {
  const { defaultErrnoRet } = profile;
  const known = Object.values(ARCHITECTURES).find(({ goName }) => goName === context.architecture);
  return {
    defaultAction: profile.defaultAction,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures: known?.seccomp ?? [],
    syscalls: profile.rules
      .filter((rule) => holds(rule, context))
      .map(({ names, action, errnoRet, args }) => ({
        names,
        action,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        ...(args === undefined ? {} : { args }),
      })),
  };
}

function holds({ when, unless }: ConditionalRule, context: SeccompContext): boolean {
  if (when !== undefined && !isMet(when, context)) return false;
  return unless === undefined || !isMet(unless, context);
}

function isMet({ capabilities, architectures }: RuleCondition, context: SeccompContext): boolean {
  const byCapability =
    capabilities === undefined || capabilities.some((name) => context.capabilities.has(name));
  return byCapability && (architectures?.includes(context.architecture) ?? true);
}
