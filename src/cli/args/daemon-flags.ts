/** Parsing the flags of the daemon. Strict: citty takes unknown flags and keeps only the last of repeated ones. */
import type { DaemonArguments } from '../../host/machine.ts';
import { badUsage } from '../cli-errors.ts';

/** What stands on a daemon's command line. */
export interface ParsedDaemonArguments {
  readonly daemon: DaemonArguments;
  readonly validate: boolean;
}

/** One-letter forms of flags. */
const SHORT: Readonly<Record<string, string>> = {
  H: 'host',
  D: 'debug',
  l: 'log-level',
  s: 'storage-driver',
  p: 'pidfile',
};
/** Flags that take no value, unless one is given with `=`. */
const SWITCHES: ReadonlySet<string> = new Set([
  'debug',
  'offline',
  'host-loopback',
  'validate',
  'tls',
  'tlsverify',
  'experimental',
  'live-restore',
  'icc',
  'ipv6',
  'init',
  'iptables',
  'ip6tables',
  'ip-forward',
  'ip-masq',
  'userland-proxy',
  'selinux-enabled',
  'no-new-privileges',
  'raw-logs',
]);

/**
 * Cuts a command line into flags, in any of the forms `--flag value`, `--flag=value`, `-f value` and `-fvalue`.
 * Which flags exist is not decided here. `invalid-argument` for a flag without its value and for anything that is
 * no flag.
 */
export function parseDaemonArguments(argv: readonly string[]): ParsedDaemonArguments {
  const flags = collectFlags(argv);
  const configFile = flags.get('config-file')?.at(-1);
  const validate = flags.get('validate')?.at(-1) === 'true';
  flags.delete('config-file');
  flags.delete('validate');
  return { daemon: { flags, ...(configFile === undefined ? {} : { configFile }) }, validate };
}

function collectFlags(argv: readonly string[]): Map<string, string[]> {
  const flags = new Map<string, string[]>();
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const { name, value } = splitFlag(argument);
    const given = value ?? (SWITCHES.has(name) ? 'true' : rest.shift());
    if (given === undefined) throw badUsage(`flag needs an argument: ${argument}`);
    flags.set(name, [...(flags.get(name) ?? []), given]);
  }
  return flags;
}

function splitFlag(argument: string): { readonly name: string; readonly value?: string } {
  const long = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
  if (long !== null) return named(long[1] ?? '', long[2]);
  const short = /^-([A-Za-z])=?(.*)$/s.exec(argument);
  if (short === null) throw badUsage(`unexpected argument: ${argument}`);
  const letter = short[1] ?? '';
  return named(SHORT[letter] ?? letter, short[2] === '' ? undefined : short[2]);
}

function named(name: string, value: string | undefined): { name: string; value?: string } {
  return value === undefined ? { name } : { name, value };
}
