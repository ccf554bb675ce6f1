/** Where the daemon keeps its things when it is not told. Pure, except for the question whether a directory is ours. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, isMissing } from '../sys/system-errors.ts';
import type { DaemonSettings } from './settings/daemon-settings.ts';

/** What the answer depends on. */
export interface RootsQuestion {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly uid: number;
  /** Id of the present boot: what belongs to another one is dead. */
  readonly bootId: string;
}

/** Absolute directories. */
export interface Roots {
  readonly dataRoot: string;
  readonly execRoot: string;
  /** False when `--exec-root` names a place of its own: then no links are made where tools probe. */
  readonly isDefaultExecRoot: boolean;
}

/** The directories of a daemon with these settings (XDG Base Directory Specification). */
export function resolveRoots(
  settings: Pick<DaemonSettings, 'dataRoot' | 'execRoot'>,
  question: RootsQuestion,
): Roots {
  const dataHome = absolute(question.environment['XDG_DATA_HOME']);
  const dataRoot =
    settings.dataRoot ?? join(dataHome ?? join(question.home, '.local', 'share'), 'wherry');
  return {
    dataRoot,
    execRoot: settings.execRoot ?? defaultExecRoot(dataRoot, question),
    isDefaultExecRoot: settings.execRoot === undefined,
  };
}

/** The configuration file that is read when `--config-file` names none. */
export function defaultConfigFile(question: Pick<RootsQuestion, 'environment' | 'home'>): string {
  return join(configHome(question), 'wherry', 'daemon.json');
}

/**
 * Where certificates for single registries are looked for, best first: our own place, the one of rootless Docker,
 * and the machine's.
 */
export function certificateDirectories(
  question: Pick<RootsQuestion, 'environment' | 'home'>,
): readonly string[] {
  const own = ['wherry', 'docker'].map((name) => join(configHome(question), name, 'certs.d'));
  return [...own, '/etc/docker/certs.d'];
}

/** The directory of the user's settings. */
export function configHome(question: Pick<RootsQuestion, 'environment' | 'home'>): string {
  return absolute(question.environment['XDG_CONFIG_HOME']) ?? join(question.home, '.config');
}

/** The user's runtime directory: the one of the session, or the usual place when it is there and ours. */
export function userRuntimeDir(question: RootsQuestion): string | undefined {
  const told = absolute(question.environment['XDG_RUNTIME_DIR']);
  if (told !== undefined) return told;
  const usual = `/run/user/${question.uid}`;
  return isOwnDirectory(usual, question.uid) ? usual : undefined;
}

/** Without a runtime directory, one below the data that is named by boot: a later boot never trusts it. */
function defaultExecRoot(dataRoot: string, question: RootsQuestion): string {
  const runtimeDir = userRuntimeDir(question);
  if (runtimeDir !== undefined) return join(runtimeDir, 'wherry');
  return join(dataRoot, `run-${question.bootId.slice(0, 8)}`);
}

/** The specification says that relative paths are to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

/** False as well for what this process may not look at: that is nothing to build on. */
export function isOwnDirectory(path: string, uid: number): boolean {
  try {
    const found = statSync(path);
    return found.isDirectory() && found.uid === uid;
  } catch (error) {
    if (isMissing(error) || ['ENOTDIR', 'EACCES'].includes(errnoCode(error) ?? '')) return false;
    throw error;
  }
}
