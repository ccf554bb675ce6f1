/** From flags, environment and files to everything a daemon or a command about it needs to know. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import {
  defaultConfigFile,
  type Roots,
  type RootsQuestion,
  resolveRoots,
} from '../host/default-roots.ts';
import type { DaemonArguments } from '../host/machine.ts';
import { type DaemonSettings, mergeSettings } from '../host/settings/daemon-settings.ts';
import { badConfigFile } from '../host/settings/settings-errors.ts';
import { type DataPaths, dataPaths, type RuntimePaths, runtimePaths } from '../sys/paths.ts';
import { readBootId } from '../sys/proc/process-identity.ts';
import { isMissing } from '../sys/system-errors.ts';

/** What is known before anything runs. */
export interface DaemonConfiguration {
  readonly settings: DaemonSettings;
  readonly roots: Roots;
  readonly question: RootsQuestion;
  readonly dataPaths: DataPaths;
  readonly runtimePaths: RuntimePaths;
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly name: string;
    readonly home: string;
  };
}

/** Reads the configuration. `invalid-argument` for whatever is wrong with it. */
export async function configureDaemon(
  daemon: DaemonArguments,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DaemonConfiguration> {
  const { uid, gid, username, homedir } = userInfo();
  const home = environment['HOME'] ?? homedir;
  const question = { environment, home, uid, bootId: await readBootId() };
  const settings = mergeSettings({
    flags: daemon.flags,
    environment,
    ...(await readConfigFile(daemon.configFile, defaultConfigFile(question))),
  });
  const roots = resolveRoots(settings, question);
  return {
    settings,
    roots,
    question,
    dataPaths: dataPaths(roots.dataRoot),
    runtimePaths: runtimePaths(roots.execRoot),
    user: { uid, gid, name: username, home },
  };
}

/** Only a file that was named must exist. */
async function readConfigFile(
  named: string | undefined,
  usual: string,
): Promise<{ file?: { path: string; text: string } }> {
  const path = named ?? usual;
  try {
    return { file: { path, text: await readFile(path, 'utf8') } };
  } catch (error) {
    if (named === undefined && isMissing(error)) return {};
    throw badConfigFile(path, 'the file cannot be read', error);
  }
}
