/** Builds what runs containers: runtimes, monitor, logs, runtime configuration. */
import type { RuntimeInfo } from '../engine/system/system-info.ts';
import { OciSpecBuilder } from '../runtime/bundle/oci-spec-builder.ts';
import { detectSpecFacts } from '../runtime/bundle/spec-facts.ts';
import type { LogReader } from '../runtime/log-reader.ts';
import { K8sLogReader } from '../runtime/logs/k8s-log-reader.ts';
import { ConmonTaskRunner } from '../runtime/monitor/conmon-task-runner.ts';
import { DEFAULT_RUNTIMES, RuntimeTable } from '../runtime/runtimes/runtime-table.ts';
import type { SpecBuilder } from '../runtime/spec-builder.ts';
import type { TaskRunner } from '../runtime/task-runner.ts';
import { findExecutable } from '../sys/exec/find-executable.ts';
import { run } from '../sys/exec/run.ts';
import type { EngineParts } from './engine-composition.ts';
import type { ComposedFacts } from './system-facts.ts';

/** Everything that runs containers, and what `docker info` says of it. */
export interface RuntimeParts {
  readonly tasks: TaskRunner;
  readonly logs: LogReader;
  readonly specs: SpecBuilder;
  readonly facts: Pick<ComposedFacts, 'defaultRuntime' | 'runtimes' | 'monitorVersion'>;
}

/** A version question is answered at once or not at all. */
const VERSION_TIMEOUT_MS = 5_000;

/** Finds the installed runtimes. `unavailable` when the default one is named and missing, or when there is none. */
export async function composeRuntime(parts: EngineParts): Promise<RuntimeParts> {
  const { runtimePaths, clock, logger } = parts;
  const { settings } = parts.facts;
  const searchPath = parts.environment['PATH'] ?? '';
  const entries = { ...DEFAULT_RUNTIMES, ...settings.runtimes };
  const table = new RuntimeTable({ entries, searchPath, stateRoot: runtimePaths.runtimesDir });
  const [installed, monitorVersion] = await Promise.all([
    installedRuntimes(entries, searchPath),
    versionOf('conmon'),
  ]);
  const [first] = installed;
  return {
    tasks: new ConmonTaskRunner({
      paths: runtimePaths,
      runtimes: table,
      clock,
      report: (error) => logger.warn('clean-up of a task failed', { error }),
    }),
    logs: new K8sLogReader(),
    specs: new OciSpecBuilder(await detectSpecFacts()),
    facts: {
      defaultRuntime: settings.defaultRuntime ?? first?.name ?? 'crun',
      runtimes: installed,
      monitorVersion,
    },
  };
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
