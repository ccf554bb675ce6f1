/** Builds what runs containers: runtimes, monitor, logs, runtime configuration. */
import type { RuntimeInfo } from '../engine/system/system-info.ts';
import { OciSpecBuilder } from '../runtime/bundle/oci-spec-builder.ts';
import { detectSpecFacts } from '../runtime/bundle/spec-facts.ts';
import type { LogReader } from '../runtime/log-reader.ts';
import { K8sLogReader } from '../runtime/logs/k8s-log-reader.ts';
import { ConmonTaskRunner } from '../runtime/monitor/conmon-task-runner.ts';
import { ProcTaskObserver } from '../runtime/observe/proc-task-observer.ts';
import { DEFAULT_RUNTIMES, RuntimeTable } from '../runtime/runtimes/runtime-table.ts';
import type { SpecBuilder } from '../runtime/spec-builder.ts';
import type { TaskObserver } from '../runtime/task-observer.ts';
import type { TaskRunner } from '../runtime/task-runner.ts';
import type { Logger } from '../shared/logger.ts';
import { findExecutable } from '../sys/exec/find-executable.ts';
import { run } from '../sys/exec/run.ts';
import type { EngineParts } from './engine-composition.ts';
import type { ComposedFacts } from './system-facts.ts';

/** Everything that runs containers, and what `docker info` says of it. */
export interface RuntimeParts {
  readonly tasks: TaskRunner;
  readonly observer: TaskObserver;
  readonly logs: LogReader;
  readonly specs: SpecBuilder;
  readonly facts: Pick<ComposedFacts, 'defaultRuntime' | 'runtimes' | 'monitorVersion'>;
}

/** A version question is answered at once or not at all. */
const VERSION_TIMEOUT_MS = 5_000;

/** Finds the installed runtimes and the first one that works. Without any, containers will say why. */
export async function composeRuntime(parts: EngineParts): Promise<RuntimeParts> {
  const { runtimePaths, clock, logger } = parts;
  const { settings } = parts.facts;
  const searchPath = parts.environment['PATH'] ?? '';
  const entries = { ...DEFAULT_RUNTIMES, ...settings.runtimes };
  const table = new RuntimeTable({ entries, searchPath, stateRoot: runtimePaths.runtimesDir });
  const [installed, monitorVersion, defaultRuntime] = await Promise.all([
    installedRuntimes(entries, searchPath),
    versionOf('conmon'),
    settings.defaultRuntime ?? firstUsable(table, logger),
  ]);
  return {
    tasks: new ConmonTaskRunner({
      paths: runtimePaths,
      runtimes: table,
      clock,
      report: (error) => logger.warn('clean-up of a task failed', { error }),
    }),
    observer: new ProcTaskObserver(),
    logs: new K8sLogReader(),
    specs: new OciSpecBuilder(await detectSpecFacts()),
    facts: {
      defaultRuntime,
      runtimes: installed,
      monitorVersion,
    },
  };
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
