/** The environment that our processes get: built from a few variables, never inherited whole. */
import { MACHINE_MARK } from '../host/namespace/machine-mark.ts';
import { DEFAULT_SEARCH_PATH } from '../sys/exec/process-settings.ts';
import { FAILPOINTS_VARIABLE } from './hold-at-failpoints.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What every helper gets. */
const ALWAYS = ['HOME', 'USER', 'XDG_RUNTIME_DIR', 'TMPDIR', 'TZ'] as const;
/** What the engine needs besides to reach registries as the user's other programs do. */
const FOR_ENGINE = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_OPTIONS',
  FAILPOINTS_VARIABLE,
] as const;

/** The environment of helpers. The administrator's directories are searched too: `ip` and `nft` live there. */
export function baseEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const path = environment['PATH'];
  return {
    PATH: path === undefined ? DEFAULT_SEARCH_PATH : `${path}:${DEFAULT_SEARCH_PATH}`,
    ...pick(environment, ALWAYS),
  };
}

/**
 * What the engine gets in addition. The mark makes its helpers findable as parts of this machine; the runtime
 * directory is ours alone, because helpers leave things in it (crun makes a directory whatever it is called for).
 */
export function engineEnvironment(
  environment: Environment,
  execRoot: string,
): Readonly<Record<string, string>> {
  return { ...pick(environment, FOR_ENGINE), [MACHINE_MARK]: execRoot, XDG_RUNTIME_DIR: execRoot };
}

/** The variable that leads to the user's service manager, beside the runtime directory. */
export function busEnvironment(environment: Environment): Readonly<Record<string, string>> {
  return pick(environment, ['DBUS_SESSION_BUS_ADDRESS']);
}

/** The environment of the engine's own helpers: the base and the mark. */
export function engineHelperEnvironment(
  environment: Environment,
): Readonly<Record<string, string>> {
  return { ...pick(environment, [...ALWAYS, 'PATH', MACHINE_MARK]) };
}

/** The whole environment, for programs that act for the user as the user's shell would. */
export function definedOnly(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  );
}

function pick(environment: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
