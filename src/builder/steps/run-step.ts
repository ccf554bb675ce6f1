/** RUN: one command on top of a file system. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { commandFailed } from '../builder-errors.ts';
import type { CacheMounts } from '../cache/cache-mounts.ts';
import type { NewLayer, StepLog } from '../cache/layer-cache.ts';
import type { BuildRequest } from '../solver.ts';
import { makeLayer } from './make-layer.ts';
import { missingPlaces, removeEmptyPlaces } from './mount-stubs.ts';
import { runContainer } from './run-container.ts';
import { mountTarget, prepareMounts, type RunMount } from './run-mounts.ts';
import type { RunRequest } from './run-request.ts';

export interface RunWork {
  readonly request: Omit<RunRequest, 'mounts'>;
  readonly mounts: readonly RunMount[];
  readonly parent: Digest | undefined;
  /** Of the file system, for people. */
  readonly platform: string;
  readonly client: Pick<BuildRequest, 'secrets' | 'ssh'>;
  readonly cacheMounts: CacheMounts;
}

/** What the kernel says of a program that nothing here can run. */
class ForeignProgram {
  isSeen = false;

  look(data: Uint8Array): void {
    this.isSeen ||= /exec format error/i.test(Buffer.from(data).toString('latin1'));
  }
}

const noEmulator = (platform: string) =>
  `the image is for ${platform}: this machine runs programs of another processor only with an emulator that is registered with binfmt_misc`;

/** Rejects with BuildKit's text when the command fails; `details.exitCode` has its exit code then. */
export function runStep(
  deps: BuilderDeps,
  work: RunWork,
  run: { log(log: StepLog): void; readonly signal: AbortSignal },
): Promise<NewLayer> {
  return makeLayer(deps, work.parent, async (place) => {
    await using undo = new CleanupStack((error) =>
      deps.logger.warn('what a build step had mounted could not be let go', { error }),
    );
    const { request, cacheMounts } = work;
    const { workingDir } = request;
    const secretsDir = join(deps.dirs.secrets, place.id);
    undo.defer(() => rm(secretsDir, { recursive: true, force: true }));
    const mountWork = {
      ...{ deps, cacheMounts, undo, secretsDir, workingDir, request: work.client },
      signal: run.signal,
    };
    const prepared = await prepareMounts(mountWork, work.mounts);
    const targets = work.mounts.map((mount) => mountTarget(mount, workingDir));
    const stubs = missingPlaces(place.rootfsDir, targets);
    const full = {
      ...request,
      env: [...request.env, ...prepared.env],
      mounts: prepared.mounts,
    };
    const said = new ForeignProgram();
    const log = (entry: StepLog) => {
      said.look(entry.data);
      run.log(entry);
    };
    const exit = await runContainer(deps, { place, request: full, log }, run.signal);
    removeEmptyPlaces(place.rootfsDir, stubs);
    if (exit.exitCode === 0) return;
    if (said.isSeen) {
      const data = Buffer.from(`WARNING: ${noEmulator(work.platform)}\n`);
      run.log({ stream: 'stderr', data, at: deps.clock.nowIso() });
    }
    throw commandFailed(request.args, exit.exitCode);
  });
}
