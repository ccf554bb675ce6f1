/** Starting a task: bundle, monitor and container, note, go. */
import type { RuntimeSpec } from '../../oci/runtime-spec.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Failpoints } from '../../shared/failpoints.ts';
import { expectSuccess, run } from '../../sys/exec/run.ts';
import { identify, isAlive } from '../../sys/proc/process-identity.ts';
import type { SeccompFilters } from '../crun/seccomp-filters.ts';
import type { LimitSupport } from '../limit-support.ts';
import type { ContainerGroups } from '../limits/container-groups.ts';
import { emulatedLimits, limitProcess } from '../limits/emulated-limits.ts';
import { startSignalLost } from '../runtime-errors.ts';
import { releaseInit } from '../runtimes/start-fifo.ts';
import type { UsableRuntime } from '../runtimes/usable-runtime.ts';
import type { TaskRecord, TaskRequest } from '../task-runner.ts';
import { type CreatedPids, createMonitored } from './create-monitored.ts';
import type { FoundTask } from './find-monitor.ts';
import { hasRoomForKeyring } from './key-quota.ts';
import { untilEnded } from './task-exit.ts';
import { stdinModeOf, writeTaskNote } from './task-note.ts';
import type { TaskStore } from './task-store.ts';

const START_TIMEOUT_MS = 30_000;

/** What starting needs. */
export interface StartDeps {
  readonly store: TaskStore;
  readonly clock: Clock;
  /** Name or path of conmon. */
  readonly monitorProgram: string;
  readonly filters: SeccompFilters;
  /** The control groups of tasks; undefined when they have none. */
  readonly groups: ContainerGroups | undefined;
  readonly support: LimitSupport;
  readonly failpoints: Failpoints;
  /** Receives failures of undoing. */
  readonly report: (error: unknown) => void;
}

/** Starts the task; on failure nothing is left. Calls for one id must not overlap. */
export async function startTask(
  deps: StartDeps,
  request: TaskRequest,
  runtime: UsableRuntime,
): Promise<TaskRecord> {
  const { id, logPath, terminal } = request;
  await using undo = new CleanupStack(deps.report);
  undo.defer(() => deps.store.remove(id, runtime.name));
  const group = runtime.facts.joinsGroups
    ? deps.groups?.pathOf(id, request.resources.CgroupParent)
    : undefined;
  // The configuration first: it names the group, so that one that a crash leaves behind is found.
  const { path } = runtime.facts;
  const spec = deps.filters.apply(path, toSpec(request, group));
  const files = await deps.store.prepare(id, spec);
  if (group !== undefined) await deps.groups?.make(group, request.resources);
  deps.failpoints.hit('task-start:after-bundle');
  const stdin = stdinModeOf(request);
  const hostNetwork = !spec.linux.namespaces.some(({ type }) => type === 'network');
  const temporaryDir = deps.store.temporaryDir;
  const program = deps.monitorProgram;
  const ownKeyring = await hasRoomForKeyring();
  const pids = await createMonitored(
    {
      ...{ program, id, runtime, files, logPath, terminal, stdin },
      ...{ hostNetwork, ownKeyring, temporaryDir },
    },
    request.spec.process.args[0] ?? '',
  );
  const created = await identifyBoth(id, pids);
  await deps.filters.learn(path, spec, runtime.containerStateDir(id));
  undo.defer(() => endCreated(created));
  deps.failpoints.hit('task-start:after-create');

  await limitProcess(created.init.pid, emulatedLimits(request.resources, deps.support));
  const startedAt = deps.clock.nowIso();
  const record: TaskRecord = { id, runtimeName: runtime.name, ...created, startedAt };
  // Before the go: from here on a new engine can tell exactly which processes these are.
  await writeTaskNote(files.task, { v: 1, record, stdin, hostNetwork });
  deps.failpoints.hit('task-start:after-note');
  await go(runtime, id);

  undo.release();
  return record;
}

function toSpec(request: TaskRequest, group: string | undefined): RuntimeSpec {
  const { spec, terminal, terminalSize: size } = request;
  const linux = group === undefined ? spec.linux : { ...spec.linux, cgroupsPath: group };
  const consoleSize =
    terminal && size !== undefined
      ? { consoleSize: { height: size.rows, width: size.columns } }
      : {};
  return { ...spec, linux, process: { ...spec.process, terminal, ...consoleSize } };
}

async function identifyBoth(id: string, pids: CreatedPids): Promise<FoundTask> {
  const [init, monitor] = await Promise.all([identify(pids.init), identify(pids.monitor)]);
  if (init === undefined || monitor === undefined) throw startSignalLost(id);
  return { init, monitor };
}

async function go(runtime: UsableRuntime, id: string): Promise<void> {
  const { startBy } = runtime.facts;
  if (startBy !== 'command') return await releaseInit(runtime.startFifo(id), startBy);
  const completed = await run(runtime.command('start', id), { timeoutMs: START_TIMEOUT_MS });
  expectSuccess(completed, `start container ${id}`);
}

async function endCreated({ init, monitor }: FoundTask): Promise<void> {
  if (await isAlive(init)) process.kill(init.pid, 'SIGKILL');
  await untilEnded(monitor);
}
