/** One run of a container's health check, as an exec session. */
import type { ExecHandle } from '../../runtime/task-runner.ts';
import { messageOf } from '../../shared/errors.ts';
import type { ContainerDeps } from '../containers/container-deps.ts';
import type { ContainerDocument } from '../containers/container-document.ts';
import type { CreateExecRequest } from '../exec/create-exec-request.ts';
import type { ExecService } from '../exec/exec-service.ts';
import { goDuration } from './go-duration.ts';
import type { ProbeResult } from './health-record.ts';
import type { HealthSettings } from './health-settings.ts';
import { ProbeOutput } from './probe-output.ts';

/** What probes work with. */
export interface ProbeDeps extends Pick<ContainerDeps, 'clock' | 'logger'> {
  readonly exec: Pick<ExecService, 'create' | 'startOwn'>;
}

/** Docker's exit code of a probe that could not be run or took too long. */
const NO_EXIT_CODE = -1;

/** Runs the check once. One that takes too long is killed. Never rejects: a failure is a result too. */
export async function runProbe(
  deps: ProbeDeps,
  container: ContainerDocument,
  settings: HealthSettings,
): Promise<ProbeResult> {
  const start = deps.clock.nowIso();
  const finish = (exitCode: number, output: string): ProbeResult => {
    return { start, end: deps.clock.nowIso(), exitCode, output };
  };
  try {
    const { id } = await deps.exec.create(container.id, probeRequest(settings));
    const handle = await deps.exec.startOwn(id);
    const output = new ProbeOutput();
    const exitCode = await exitInTime(deps, handle, { output, timeoutMs: settings.timeoutMs });
    return exitCode === undefined
      ? finish(NO_EXIT_CODE, timeoutText(settings.timeoutMs, output.text()))
      : finish(exitCode, output.text());
  } catch (error) {
    return finish(NO_EXIT_CODE, messageOf(error));
  }
}

function probeRequest({ args }: HealthSettings): CreateExecRequest {
  return {
    args,
    env: [],
    workingDir: undefined,
    user: undefined,
    privileged: false,
    tty: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: undefined,
    consoleSize: undefined,
  };
}

/** The exit code once everything printed has been read; undefined when that took too long. */
async function exitInTime(
  deps: ProbeDeps,
  handle: ExecHandle,
  limit: { readonly output: ProbeOutput; readonly timeoutMs: number },
): Promise<number | undefined> {
  const deadline = new AbortController();
  const late = deps.clock.sleep(limit.timeoutMs, deadline.signal).then(() => undefined);
  const read = readOutput(handle, limit.output);
  try {
    const exitCode = await Promise.race([Promise.all([handle.exit, read]), late]);
    if (exitCode !== undefined) return exitCode[0];
    await handle.kill();
    await handle.exit;
    return undefined;
  } finally {
    deadline.abort();
    read.catch((error: unknown) => deps.logger.debug('probe output was cut off', { error }));
  }
}

async function readOutput(handle: ExecHandle, output: ProbeOutput): Promise<void> {
  for await (const { data } of handle.output) output.add(data);
}

function timeoutText(timeoutMs: number, output: string): string {
  const text = `Health check exceeded timeout (${goDuration(timeoutMs)})`;
  return output === '' ? text : `${text}: ${output}`;
}
