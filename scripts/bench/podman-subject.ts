/** Rootless podman as an API service, for comparison. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { getOverSocket } from '../../test/support/http-over-socket.ts';
import { busyboxArchive } from '../../test/support/images.ts';
import { runCommand, startCommand } from '../../test/support/run-command.ts';
import { makeTestHome, type TestHome } from '../../test/support/test-home.ts';
import { processIdsOf } from '../../test/support/traces.ts';
import type { Subject } from './subject.ts';

const UNIFIED_MOUNT = '/sys/fs/cgroup/unified';
const IMAGE = 'docker.io/bench/busybox:1';
/** Like for like: the measured engine sets no limits either, and machines without delegation have no other way. */
const CONF = [
  '[containers]',
  'cgroups = "disabled"',
  'log_driver = "k8s-file"',
  '[engine]',
  'cgroup_manager = "cgroupfs"',
  'events_logger = "file"',
].join('\n');

/** Starts `podman system service`. Undefined, with the reason on stderr, when it cannot run a container here. */
export async function startPodman(): Promise<Subject | undefined> {
  const home = await makeTestHome();
  try {
    return await startIn(home);
  } catch (error) {
    console.error(`podman is left out: ${String(error).trim()}`);
    await removePodmanHome(home);
    return undefined;
  }
}

/** podman keeps its namespaces by a process that outlives every command. */
async function removePodmanHome(home: TestHome): Promise<void> {
  const pidFile = join(home.runtimeDir, 'libpod/tmp/pause.pid');
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (pid > 0) process.kill(pid, 'SIGKILL');
  await home[Symbol.asyncDispose]();
}

async function startIn(home: TestHome): Promise<Subject> {
  const socketPath = join(home.runtimeDir, 'podman.sock');
  const confPath = join(home.root, 'containers.conf');
  await writeFile(confPath, CONF);
  const archive = join(home.root, 'busybox.tar');
  await writeFile(archive, await busyboxArchive('bench/busybox:1'));
  // podman reads the docker client's settings when it is told where they are, and wants them to exist.
  const { DOCKER_CONFIG: _, ...variables } = home.env;
  const env = { ...variables, CONTAINERS_CONF: confPath, DOCKER_HOST: `unix://${socketPath}` };
  const places = ['--root', join(home.dataDir, 'c'), '--runroot', join(home.runtimeDir, 'c')];
  const podman = ['podman', ...places, '--storage-driver', 'overlay'];
  const loaded = await runCommand([...podman, 'load', '-q', '-i', archive], { env });
  if (loaded.code !== 0) throw new Error(loaded.stderr.slice(-300));
  // crun refuses hybrid control groups: in podman's mount namespace the v2 hierarchy may stand in for them.
  await runCommand([...podman, 'unshare', 'mount', '--bind', UNIFIED_MOUNT, '/sys/fs/cgroup'], {
    env,
  });
  const started = performance.now();
  const service = startCommand([...podman, 'system', 'service', '-t', '0', env.DOCKER_HOST], {
    env,
    timeoutMs: 3_600_000,
  });
  await eventually(() => getOverSocket(socketPath, '/_ping'), { everyMs: 2 });
  const coldStartMs = performance.now() - started;
  const probe = await runCommand([...podman, 'run', '--rm', IMAGE, 'true'], { env });
  if (probe.code !== 0) {
    await service[Symbol.asyncDispose]();
    throw new Error(probe.stderr.slice(-300));
  }
  return {
    name: 'podman',
    cli: podman,
    // The run settings keep it from limits, which it has no way to set here.
    builder: { argv: [...podman, 'build', '-q', '--layers', '--pull-never'], env },
    pull: ['pull', '-q', '--tls-verify=false'],
    socketPath,
    image: IMAGE,
    env,
    coldStartMs,
    processIds: () => processIdsOf(home, undefined),
    async [Symbol.asyncDispose]() {
      await runCommand([...podman, 'rm', '-af', '-t', '0'], { env });
      await service[Symbol.asyncDispose]();
      await removePodmanHome(home);
    },
  };
}
