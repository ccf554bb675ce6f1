/** Executes one command in a container that nobody knows of: no document, gone when it has ended. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { NetworkNamespace } from '../../runtime/spec-builder.ts';
import type { TaskExit, TaskRecord } from '../../runtime/task-runner.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { SIGKILL } from '../../shared/signals.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import type { StepLog } from '../cache/layer-cache.ts';
import type { Workplace } from './make-layer.ts';
import { networkOf } from './run-network.ts';
import type { RunRequest } from './run-request.ts';

/** What BuildKit calls its containers. */
const HOSTNAME = 'buildkitsandbox';

/** Resolves to the end of the process. Kills it when `signal` aborts, and rejects with its reason then. */
export async function runContainer(
  deps: BuilderDeps,
  run: { readonly place: Workplace; readonly request: RunRequest; log(log: StepLog): void },
  signal: AbortSignal,
): Promise<TaskExit> {
  signal.throwIfAborted();
  const { place, request, log } = run;
  await using undo = new CleanupStack((error) =>
    deps.logger.warn('the rest of a build container could not be removed', { error }),
  );
  const dir = join(deps.dirs.work, place.id);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const network = await joinNetwork(deps, run, undo);
  const nameMounts = await writeNames(deps, { dir, request, ...network });
  const hostConfig = hostConfigOf(request);
  const spec = await deps.specs.build({
    id: place.id,
    config: {
      Cmd: request.args,
      Env: request.env,
      WorkingDir: request.workingDir,
      User: request.user,
      Hostname: HOSTNAME,
    },
    hostConfig,
    rootfsDir: place.rootfsDir,
    network: network.namespace,
    mounts: [...nameMounts, ...request.mounts],
    hostname: HOSTNAME,
  });
  const logPath = join(dir, 'log');
  const task = await deps.tasks.start({
    id: place.id,
    runtimeName: deps.runtimeName,
    rootfsDir: place.rootfsDir,
    spec,
    logPath,
    terminal: false,
    openStdin: false,
    stdinOnce: false,
    resources: hostConfig,
  });
  undo.defer(() => deps.tasks.remove(place.id));
  deps.failpoints.hit('image-build:after-task');
  return await followTask(deps, { task, logPath, log }, signal);
}

interface JoinedNetwork {
  readonly namespace: NetworkNamespace;
  readonly ipAddresses: readonly string[];
  readonly nameService: boolean;
}

async function joinNetwork(
  deps: BuilderDeps,
  { place, request }: { readonly place: Workplace; readonly request: RunRequest },
  undo: CleanupStack,
): Promise<JoinedNetwork> {
  const network = networkOf(
    { mode: request.networkMode, containerId: place.id },
    deps.sandboxes.networks(),
  );
  if (network === 'host') {
    return { namespace: { kind: 'host' }, ipAddresses: [], nameService: false };
  }
  const sandbox = await deps.sandboxes.create({
    containerId: place.id,
    hostname: HOSTNAME,
    publish: [],
    ...network,
  });
  undo.defer(() => deps.sandboxes.remove(place.id));
  return {
    namespace: { kind: 'path', path: sandbox.netnsPath },
    ipAddresses: sandbox.endpoints.map(({ ipAddress }) => ipAddress),
    nameService: sandbox.endpoints.some(({ names = [] }) => names.length > 0),
  };
}

async function writeNames(
  deps: BuilderDeps,
  given: JoinedNetwork & { readonly dir: string; readonly request: RunRequest },
): Promise<readonly SpecMount[]> {
  const { dir, request, namespace } = given;
  const files = deps.renderNameFiles({
    hostname: HOSTNAME,
    domainname: '',
    ipAddresses: given.ipAddresses,
    links: [],
    nameService: given.nameService,
    hostConfig: { ExtraHosts: [...request.settings.extraHosts] },
    hostNetwork: namespace.kind === 'host',
  });
  const contents = { 'resolv.conf': files.resolvConf, hosts: files.hosts };
  return await Promise.all(
    Object.entries(contents).map(async ([name, text]): Promise<SpecMount> => {
      const source = join(dir, name);
      await writeFile(source, text, { mode: 0o644 });
      const options = ['rbind', 'rprivate'];
      return { destination: `/etc/${name}`, source, type: 'bind', options };
    }),
  );
}

function hostConfigOf({ settings, isInsecure }: RunRequest): HostConfig {
  const { resources, shmSizeBytes, securityOpt } = settings;
  return {
    ...resources,
    ...(shmSizeBytes === undefined ? {} : { ShmSize: shmSizeBytes }),
    SecurityOpt: securityOpt,
    Privileged: isInsecure,
  };
}

async function followTask(
  deps: BuilderDeps,
  run: { readonly task: TaskRecord; readonly logPath: string; log(log: StepLog): void },
  signal: AbortSignal,
): Promise<TaskExit> {
  const { task, logPath, log } = run;
  const ended = deps.tasks.waitExit(task);
  // The process may have ended by itself at the same moment.
  const kill = () => deps.tasks.signal(task, SIGKILL).catch(() => undefined);
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) await kill();
  try {
    for await (const batch of deps.logs.read({ logPath, follow: { ended } })) {
      for (const { stream, data, time } of batch) log({ stream, data, at: time });
    }
    const exit = await ended;
    signal.throwIfAborted();
    return exit;
  } finally {
    signal.removeEventListener('abort', kill);
    await ended.catch(() => undefined);
  }
}
