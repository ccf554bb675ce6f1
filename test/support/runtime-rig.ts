/** The real parts of `src/runtime` around a busybox root file system, for tests inside a user namespace. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OciSpecBuilder } from '../../src/runtime/bundle/oci-spec-builder.ts';
import { detectSpecFacts } from '../../src/runtime/bundle/spec-facts.ts';
import { CdiRegistry } from '../../src/runtime/cdi/cdi-registry.ts';
import type { LimitSupport } from '../../src/runtime/limit-support.ts';
import { withoutGroups } from '../../src/runtime/limits/detect-support.ts';
import { K8sLogReader } from '../../src/runtime/logs/k8s-log-reader.ts';
import { ConmonTaskRunner } from '../../src/runtime/monitor/conmon-task-runner.ts';
import { prepareCgroupMount } from '../../src/runtime/prepare-cgroup-mount.ts';
import { DEFAULT_RUNTIMES, RuntimeTable } from '../../src/runtime/runtimes/runtime-table.ts';
import type { TaskRunner } from '../../src/runtime/task-runner.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { NO_FAILPOINTS } from '../../src/shared/failpoints.ts';
import { DEFAULT_SEARCH_PATH } from '../../src/sys/exec/process-settings.ts';
import { UmountFlag, umount } from '../../src/sys/libc.ts';
import { listMounts } from '../../src/sys/mount/mount-table.ts';
import { type RuntimePaths, runtimePaths } from '../../src/sys/paths.ts';
import { makeBusyboxRootfs } from './busybox-rootfs.ts';

export interface RuntimeRig extends AsyncDisposable {
  readonly paths: RuntimePaths;
  readonly rootfsDir: string;
  readonly runtimes: RuntimeTable;
  readonly specs: OciSpecBuilder;
  readonly support: LimitSupport;
  readonly logs: K8sLogReader;
  logPath(id: string): string;
  /** A runner on the shared state; a second one is the engine after a restart. */
  makeRunner(): TaskRunner;
}

/** Call it inside of fresh user and mount namespaces. Failures of clean-up go to `report`. */
export async function makeRuntimeRig(report: (error: unknown) => void): Promise<RuntimeRig> {
  await prepareCgroupMount();
  const dir = await mkdtemp(join(tmpdir(), 'wherry-rt-'));
  const paths = runtimePaths(join(dir, 'run'));
  const rootfsDir = join(dir, 'rootfs');
  await mkdir(paths.runtimesDir, { recursive: true });
  await makeBusyboxRootfs(rootfsDir);
  const runtimes = new RuntimeTable({
    entries: DEFAULT_RUNTIMES,
    searchPath: DEFAULT_SEARCH_PATH,
    stateRoot: paths.runtimesDir,
  });
  const support = withoutGroups('no control group is delegated to this user');
  const specs = new OciSpecBuilder(
    await detectSpecFacts(support),
    new CdiRegistry([], () => undefined),
  );
  return {
    paths,
    rootfsDir,
    runtimes,
    specs,
    support,
    logs: new K8sLogReader(),
    logPath: (id) => join(dir, `${id}.log`),
    makeRunner: () =>
      new ConmonTaskRunner({
        paths,
        runtimes,
        clock: systemClock,
        support,
        failpoints: NO_FAILPOINTS,
        report,
      }),
    [Symbol.asyncDispose]: async () => {
      await unmountBelow(paths.runtimesDir);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The programs of runtimes are bound there, which goes with the mount namespace only. */
async function unmountBelow(dir: string): Promise<void> {
  for (const { mountPoint } of await listMounts()) {
    if (mountPoint.startsWith(`${dir}/`)) umount(mountPoint, UmountFlag.detach);
  }
}
