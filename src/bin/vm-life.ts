/** What `wherry vm` does with the machine itself: its settings, its disk, its console. */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defaultConfigFile } from '../host/default-roots.ts';
import type { DaemonArguments } from '../host/machine.ts';
import { SETTINGS } from '../host/settings/setting-table.ts';
import { badConfigFile } from '../host/settings/settings-errors.ts';
import { badVmValue, diskNeverShrinks, vmStillRuns } from '../host/vm/vm-errors.ts';
import { readVmProcess } from '../host/vm/vm-record.ts';
import type { VmChange, VmControl } from '../host/vm-control.ts';
import { writeFileDurably } from '../sys/fs/durable.ts';
import { isMissing } from '../sys/system-errors.ts';
import { configureDaemon, type DaemonConfiguration } from './daemon-configuration.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const GB = 2 ** 30;

/** The part of `VmControl` that is about the machine of the user of `environment`. */
export function vmLife(
  environment: Environment,
): Pick<VmControl, 'configure' | 'reset' | 'consoleLog'> {
  const configured = (daemon: DaemonArguments) => configureDaemon(daemon, environment);
  return {
    configure: async (daemon, change) => configure(await configured(daemon), daemon, change),
    reset: async (daemon) => reset(await configured(daemon)),
    consoleLog: async (daemon) => (await configured(daemon)).runtimePaths.vmConsole,
  };
}

async function configure(
  { question, dataPaths }: DaemonConfiguration,
  daemon: DaemonArguments,
  change: VmChange,
): Promise<string> {
  const changed = Object.entries({
    'vm-cpus': change.cpus,
    'vm-memory': change.memoryMb,
    'vm-disk': change.diskGb,
  }).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  for (const [key, value] of changed) checkLeast(key, value);
  const now = await sizeOf(dataPaths.vmDataDisk);
  const { diskGb } = change;
  if (diskGb !== undefined && now !== undefined && diskGb * GB < now) {
    throw diskNeverShrinks(diskGb, now / GB);
  }
  const path = daemon.configFile ?? defaultConfigFile(question);
  const values = { ...(await readObject(path)), ...Object.fromEntries(changed) };
  const content = JSON.stringify(values, undefined, 2);
  await mkdir(dirname(path), { recursive: true });
  await writeFileDurably(path, `${content}\n`);
  return path;
}

async function reset({ dataPaths, runtimePaths }: DaemonConfiguration): Promise<boolean> {
  if ((await readVmProcess(runtimePaths.vmRecord)) !== undefined) throw vmStillRuns();
  if ((await sizeOf(dataPaths.vmDataDisk)) === undefined) return false;
  await rm(dataPaths.vmDataDisk);
  return true;
}

/** The same rule as for the setting in the file, told of the option of `wherry vm set`. */
function checkLeast(key: string, value: number): void {
  const least = SETTINGS.find((setting) => setting.key === key)?.least ?? 0;
  if (Number.isInteger(value) && value >= least) return;
  throw badVmValue(key.replace(/^vm-/, '--'), value, least);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A configuration that the daemon would not read is not written over. */
async function readObject(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return { ...found };
  } catch (error) {
    if (isMissing(error)) return {};
    throw badConfigFile(path, 'it cannot be read', error);
  }
  throw badConfigFile(path, 'it is not an object');
}
