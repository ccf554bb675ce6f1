/** The seccomp profile of containers that ask for none: equal in effect to the one that Docker documents. */
import type { ConditionalRule, SeccompProfile } from './seccomp-rules.ts';
import {
  ALWAYS_ALLOWED,
  BY_ARCHITECTURE,
  BY_CAPABILITY,
  IDENTITY_CHANGES,
  TRACING,
} from './seccomp-syscalls.ts';

const ALLOW = 'SCMP_ACT_ALLOW';
const ERRNO = 'SCMP_ACT_ERRNO';
const EPERM = 1;
const ENOSYS = 38;
/** Virtual machine sockets reach the host past every namespace. */
const AF_VSOCK = 40;
/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET (clone(2)). */
const NAMESPACE_FLAGS = 0x7e020000;
/** PER_LINUX, PER_LINUX32, UNAME26, PER_LINUX32 | UNAME26, and the query (personality(2)). */
const HARMLESS_PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];
const ADMIN = { capabilities: ['CAP_SYS_ADMIN'] };

const allow = (rule: Omit<ConditionalRule, 'action'>): ConditionalRule => ({
  ...rule,
  action: ALLOW,
});

/** New namespaces need a privilege; the flags are another argument on s390. */
const CLONE_RULES: readonly ConditionalRule[] = [
  ...[
    { index: 0, place: { unless: { architectures: ['s390x'] } } },
    { index: 1, place: { when: { architectures: ['s390x'] } } },
  ].map(({ index, place }) =>
    allow({
      names: ['clone'],
      args: [{ index, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      ...place,
    }),
  ),
  // Its flags are in memory, where no filter can look: "not there" makes C libraries use clone instead.
  { names: ['clone3'], action: ERRNO, errnoRet: ENOSYS, unless: ADMIN },
];

/** The profile; which of its rules hold depends on capabilities and architecture. */
export const DEFAULT_PROFILE: SeccompProfile = {
  defaultAction: ERRNO,
  defaultErrnoRet: EPERM,
  rules: [
    allow({ names: ALWAYS_ALLOWED }),
    allow({ names: TRACING }),
    allow({ names: ['socket'], args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }] }),
    ...HARMLESS_PERSONALITIES.map((value) =>
      allow({ names: ['personality'], args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] }),
    ),
    ...BY_ARCHITECTURE.map(({ names, architectures }) => allow({ names, when: { architectures } })),
    ...Object.entries(BY_CAPABILITY).map(([capability, names]) =>
      allow({ names, when: { capabilities: [capability] } }),
    ),
    ...CLONE_RULES,
  ],
};

/** A profile for a user namespace with one id: what would change to another id succeeds without effect. */
export function pretendIdentities(profile: SeccompProfile): SeccompProfile {
  const pretended = new Set(IDENTITY_CHANGES);
  const rules = profile.rules.flatMap((rule) => {
    const names = rule.names.filter((name) => !pretended.has(name));
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  return { ...profile, rules: [...rules, { names: IDENTITY_CHANGES, action: ERRNO, errnoRet: 0 }] };
}

/** Nothing is forbidden; a base for `pretendIdentities`. */
export const UNCONFINED_PROFILE: SeccompProfile = { defaultAction: ALLOW, rules: [] };
