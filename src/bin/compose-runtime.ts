/** Builds what runs containers: runtimes, monitor, logs, runtime configuration. */
import type { RuntimeInfo } from '../engine/system/system-info.ts';
import { OciSpecBuilder } from '../runtime/bundle/oci-spec-builder.ts';
import { detectSpecFacts } from '../runtime/bundle/spec-facts.ts';
import { CdiRegistry } from '../runtime/cdi/cdi-registry.ts';
import { sweepSessionFiles } from '../runtime/exec/session-files.ts';
import type { LimitSupport } from '../runtime/limit-support.ts';
import { ContainerGroups } from '../runtime/limits/container-groups.ts';
import { withoutGroups } from '../runtime/limits/detect-support.ts';
import type { LogKeeper } from '../runtime/log-keeper.ts';
import type { LogReader } from '../runtime/log-reader.ts';
import { JournalKeeper } from '../runtime/logs/journal-keeper.ts';
import { K8sLogReader } from '../runtime/logs/k8s-log-reader.ts';
import { ConmonTaskRunner } from '../runtime/monitor/conmon-task-runner.ts';
import { taskFiles } from '../runtime/monitor/task-files.ts';
import { ProcTaskObserver } from '../runtime/observe/proc-task-observer.ts';
import { DEFAULT_RUNTIMES, RuntimeTable } from '../runtime/runtimes/runtime-table.ts';
import type { UsableRuntime } from '../runtime/runtimes/usable-runtime.ts';
import type { SpecBuilder } from '../runtime/spec-builder.ts';
import { sendReopenLog } from '../runtime/stdio/terminal-control.ts';
import type { TaskObserver } from '../runtime/task-observer.ts';
import type { TaskRunner } from '../runtime/task-runner.ts';
import type { Logger } from '../shared/logger.ts';
import { kernelCgroups } from '../sys/cgroup/cgroup-files.ts';
import { findExecutable } from '../sys/exec/find-executable.ts';
import { run } from '../sys/exec/run.ts';
import type { EngineParts } from './engine-composition.ts';
import type { ComposedFacts } from './system-facts.ts';

/** Everything that runs containers, and what `docker info` says of it. */
export interface RuntimeParts {
  readonly tasks: TaskRunner;
  readonly observer: TaskObserver;
  readonly logs: LogReader;
  readonly logKeeper: LogKeeper;
  readonly specs: SpecBuilder;
  /** Names of the devices that containers can ask for. */
  readonly devices: () => Promise<readonly string[]>;
  readonly facts: Pick<ComposedFacts, 'defaultRuntime' | 'runtimes' | 'monitorVersion' | 'limits'>;
}

/** A version question is answered at once or not at all. */
const VERSION_TIMEOUT_MS = 5_000;

/** Finds the installed runtimes and the first one that works. Without any, containers will say why. */
export async function composeRuntime(parts: EngineParts): Promise<RuntimeParts> {
  const { runtimePaths, clock, failpoints, logger } = parts;
  const { settings } = parts.facts;
  await sweepSessionFiles(runtimePaths);
  const searchPath = parts.environment['PATH'] ?? '';
  const entries = { ...DEFAULT_RUNTIMES, ...settings.runtimes };
  const offered = await openGroups(parts);
  const table = new RuntimeTable({
    entries,
    searchPath,
    stateRoot: runtimePaths.runtimesDir,
    ...(offered === undefined ? {} : { groups: offered }),
  });
  const [installed, monitorVersion, defaultRuntime] = await Promise.all([
    installedRuntimes(entries, searchPath),
    versionOf('conmon'),
    settings.defaultRuntime ?? firstUsable(table, logger),
  ]);
  const cdi = new CdiRegistry(settings.cdiSpecDirs, (message) =>
    logger.warn(`a description of devices is left out: ${message}`),
  );
  const { groups, support } = await usableGroups(parts, offered, () =>
    table.resolve(defaultRuntime),
  );
  const logs = new K8sLogReader();
  return {
    tasks: new ConmonTaskRunner({
      paths: runtimePaths,
      runtimes: table,
      clock,
      ...(groups === undefined ? {} : { groups }),
      support,
      failpoints,
      report: (error) => logger.warn('clean-up of a task failed', { error }),
    }),
    observer: new ProcTaskObserver(),
    logs,
    logKeeper: new JournalKeeper({
      reader: logs,
      reopen: (id) => sendReopenLog(taskFiles(runtimePaths, id).controlFifo),
      report: (container, error) =>
        logger.error('a log is not kept as asked', { container, error }),
    }),
    specs: new OciSpecBuilder(await detectSpecFacts(support), cdi),
    devices: () => cdi.names(),
    facts: {
      defaultRuntime,
      runtimes: installed,
      monitorVersion,
      limits: support,
    },
  };
}

/** The control groups that the host could get for us; undefined without any. */
async function openGroups({ facts, clock, logger }: EngineParts) {
  const { own, unifiedMount: mountPoint } = facts.cgroup;
  if (own === undefined || mountPoint === undefined) return undefined;
  try {
    return await ContainerGroups.open({
      files: kernelCgroups,
      mountPoint,
      ownPath: own,
      clock,
    });
  } catch (error) {
    logger.error('the control group cannot be divided: containers have no limits', { error });
    return undefined;
  }
}

/** The groups, if the runtime puts containers into them, and what can be limited. */
async function usableGroups(
  { facts, logger }: EngineParts,
  groups: ContainerGroups | undefined,
  runtime: () => Promise<UsableRuntime>,
): Promise<{ readonly groups?: ContainerGroups; readonly support: LimitSupport }> {
  const { lack = 'no control group is delegated to this user' } = facts.cgroup;
  if (groups === undefined) return { support: withoutGroups(lack) };
  const joins = await runtime().then(
    (usable) => usable.facts.joinsGroups,
    () => true,
  );
  if (joins) return { groups, support: groups.support };
  logger.warn('the OCI runtime does not use the control groups that it is told: no limits');
  return { support: withoutGroups('the OCI runtime does not use control groups') };
}

/** Name of the first runtime that proved itself; of the first one at all when none does. */
async function firstUsable(table: RuntimeTable, logger: Logger): Promise<string> {
  try {
    return (await table.firstUsable()).name;
  } catch (error) {
    logger.error('no OCI runtime works here: containers cannot start', { error });
    return table.names()[0] ?? '';
  }
}

/** The entries whose program is there, in the order of the table. */
async function installedRuntimes(
  entries: Readonly<Record<string, { readonly path: string }>>,
  searchPath: string,
): Promise<readonly RuntimeInfo[]> {
  const found = await Promise.all(
    Object.entries(entries).map(async ([name, entry]): Promise<RuntimeInfo[]> => {
      const path = await findExecutable(entry.path, searchPath);
      return path === undefined ? [] : [{ name, path, version: await versionOf(path) }];
    }),
  );
  return found.flat();
}

/** The first version number that `--version` prints; empty when it prints none. */
async function versionOf(file: string): Promise<string> {
  try {
    const { stdout } = await run({ file, args: ['--version'] }, { timeoutMs: VERSION_TIMEOUT_MS });
    return /\d+\.\d+(?:\.\d+)?\S*/.exec(stdout)?.[0] ?? '';
  } catch {
    return '';
  }
}
