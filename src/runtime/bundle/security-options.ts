/** `SecurityOpt` of a container. */
import { invalidSecurityOption } from '../runtime-errors.ts';
import { DEFAULT_PROFILE } from './default-seccomp.ts';
import { parseSeccompProfile } from './parse-seccomp-profile.ts';
import type { SeccompProfile } from './seccomp-rules.ts';

/** What the options ask for. */
export interface SecuritySettings {
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompProfile | 'unconfined';
  /** Nothing of `/proc` and `/sys` is hidden or read-only. */
  readonly openSystemPaths: boolean;
  /** The container may make groups below its own. */
  readonly writableCgroups: boolean;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  '': true,
  true: true,
  '1': true,
  t: true,
  false: false,
  '0': false,
  f: false,
};

/**
 * Options in the forms `key`, `key=value` and the older `key:value`. AppArmor and SELinux options are taken as they
 * are and have no effect: neither can be set from a user namespace. `invalid-argument` for anything else.
 */
export function parseSecurityOptions(options: readonly string[]): SecuritySettings {
  let settings: SecuritySettings = {
    noNewPrivileges: false,
    seccomp: DEFAULT_PROFILE,
    openSystemPaths: false,
    writableCgroups: false,
  };
  for (const option of options) settings = apply(settings, option);
  return settings;
}

function apply(settings: SecuritySettings, option: string): SecuritySettings {
  const at = option.search(/[=:]/);
  const key = at < 0 ? option : option.slice(0, at);
  const value = at < 0 ? '' : option.slice(at + 1);
  switch (key) {
    case 'no-new-privileges':
      return { ...settings, noNewPrivileges: booleanOf(value, option) };
    case 'writable-cgroups':
      return { ...settings, writableCgroups: booleanOf(value, option) };
    case 'systempaths':
      if (value !== 'unconfined') throw invalidSecurityOption(option);
      return { ...settings, openSystemPaths: true };
    case 'seccomp':
      return { ...settings, seccomp: seccompOf(value, option) };
    case 'apparmor':
    case 'label':
      return settings;
    default:
      throw invalidSecurityOption(option);
  }
}

function booleanOf(value: string, option: string): boolean {
  const flag = BOOLEANS[value.toLowerCase()];
  if (flag === undefined) throw invalidSecurityOption(option);
  return flag;
}

function seccompOf(value: string, option: string): SeccompProfile | 'unconfined' {
  if (value === 'unconfined') return 'unconfined';
  if (value === 'builtin') return DEFAULT_PROFILE;
  if (value === '') throw invalidSecurityOption(option);
  return parseSeccompProfile(value);
}
