/** Where everything is kept: absolute paths made of `filenames.ts`. */
import { join } from 'node:path';
import {
  CONTAINER_NAMES,
  CONTENT_NAMES,
  DATA_NAMES,
  JSON_LOG_ENDING,
  LONGEST_SOCKET_PATH_BYTES,
  RUNTIME_NAMES,
  SANDBOX_NAMES,
  TASK_NAMES,
  VOLUME_NAMES,
} from './filenames.ts';
import { socketPathTooLong } from './system-errors.ts';

/** What survives a reboot. Absolute paths; `…Dir` is a directory, the rest are files. */
export interface DataPaths {
  readonly root: string;
  readonly layoutFile: string;
  readonly engineLock: string;
  readonly engineIdFile: string;
  readonly daemonLog: string;
  readonly contentDir: string;
  readonly blobsDir: string;
  readonly ingestDir: string;
  readonly vmImageDir: string;
  readonly wslDir: string;
  readonly vmDataDisk: string;
  readonly imagesDir: string;
  readonly snapshotsDir: string;
  readonly containersDir: string;
  readonly networksDir: string;
  readonly volumesDir: string;
  readonly buildContextsDir: string;
  readonly buildCacheDir: string;
  readonly cacheMountsDir: string;
  readonly buildsDir: string;
  readonly corruptDir: string;
  /** Files of one container. */
  container(id: string): ContainerDataPaths;
  /** Files of one volume. */
  volume(name: string): VolumePaths;
}

/** Files of a container that outlive its runs. */
export interface ContainerDataPaths {
  readonly dir: string;
  readonly document: string;
  readonly log: string;
  readonly jsonLog: string;
  readonly journalProgress: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** Files of a volume. */
export interface VolumePaths {
  readonly dir: string;
  readonly document: string;
  readonly dataDir: string;
}

/** What dies at reboot. Absolute paths. */
export interface RuntimePaths {
  readonly root: string;
  readonly apiSocket: string;
  readonly hostSocket: string;
  readonly handlesSocket: string;
  readonly hostLock: string;
  readonly machineFile: string;
  readonly engineMark: string;
  readonly uplinkSocket: string;
  readonly uplinkLog: string;
  readonly uplinkPid: string;
  readonly resolvConf: string;
  readonly containersDir: string;
  readonly exitsDir: string;
  readonly sandboxesDir: string;
  readonly layerLinksDir: string;
  readonly rootfsDir: string;
  readonly pinsDir: string;
  readonly treesDir: string;
  readonly buildSecretsDir: string;
  readonly vmRecord: string;
  readonly vmChannel: string;
  readonly vmConsole: string;
  readonly vmPrograms: string;
  readonly runtimesDir: string;
  /** Files of one running container. */
  container(id: string): TaskPaths;
  /** Files of one network namespace. */
  sandbox(id: string): SandboxPaths;
}

/** Files of a running container. */
export interface TaskPaths {
  readonly dir: string;
  readonly bundleDir: string;
  readonly task: string;
}

/** Files of a container's network namespace. */
export interface SandboxPaths {
  readonly dir: string;
  readonly netns: string;
  readonly document: string;
}

/** The layout below `$XDG_DATA_HOME/wherry` or whatever `--data-root` names (absolute). */
export function dataPaths(root: string): DataPaths {
  const contentDir = join(root, DATA_NAMES.contentDir);
  const containersDir = join(root, DATA_NAMES.containersDir);
  const volumesDir = join(root, DATA_NAMES.volumesDir);
  return {
    root,
    layoutFile: join(root, DATA_NAMES.layoutFile),
    engineLock: join(root, DATA_NAMES.engineLock),
    engineIdFile: join(root, DATA_NAMES.engineIdFile),
    daemonLog: join(root, DATA_NAMES.daemonLog),
    contentDir,
    blobsDir: join(contentDir, CONTENT_NAMES.blobsDir),
    ingestDir: join(contentDir, CONTENT_NAMES.ingestDir),
    vmImageDir: join(root, DATA_NAMES.vmImageDir),
    wslDir: join(root, DATA_NAMES.wslDir),
    vmDataDisk: join(root, DATA_NAMES.vmDataDisk),
    imagesDir: join(root, DATA_NAMES.imagesDir),
    snapshotsDir: join(root, DATA_NAMES.snapshotsDir),
    containersDir,
    networksDir: join(root, DATA_NAMES.networksDir),
    volumesDir,
    buildContextsDir: join(root, DATA_NAMES.buildContextsDir),
    buildCacheDir: join(root, DATA_NAMES.buildCacheDir),
    cacheMountsDir: join(root, DATA_NAMES.cacheMountsDir),
    buildsDir: join(root, DATA_NAMES.buildsDir),
    corruptDir: join(root, DATA_NAMES.corruptDir),
    container: (id) => containerDataPaths(`${containersDir}/${id}`),
    volume: (name) => volumePaths(join(volumesDir, name)),
  };
}

/**
 * The layout below `$XDG_RUNTIME_DIR/wherry` or whatever `--exec-root` names (absolute). `invalid-argument` when
 * a socket in it could not be opened because its path is too long for the kernel.
 */
export function runtimePaths(root: string): RuntimePaths {
  const containersDir = join(root, RUNTIME_NAMES.containersDir);
  const sandboxesDir = join(root, RUNTIME_NAMES.sandboxesDir);
  return {
    root,
    apiSocket: assertSocketPath(join(root, RUNTIME_NAMES.apiSocket)),
    hostSocket: assertSocketPath(join(root, RUNTIME_NAMES.hostSocket)),
    handlesSocket: assertSocketPath(join(root, RUNTIME_NAMES.handlesSocket)),
    hostLock: join(root, RUNTIME_NAMES.hostLock),
    machineFile: join(root, RUNTIME_NAMES.machineFile),
    engineMark: join(root, RUNTIME_NAMES.engineMark),
    uplinkSocket: assertSocketPath(join(root, RUNTIME_NAMES.uplinkSocket)),
    uplinkLog: join(root, RUNTIME_NAMES.uplinkLog),
    uplinkPid: join(root, RUNTIME_NAMES.uplinkPid),
    resolvConf: join(root, RUNTIME_NAMES.resolvConf),
    containersDir,
    exitsDir: join(root, RUNTIME_NAMES.exitsDir),
    sandboxesDir,
    layerLinksDir: join(root, RUNTIME_NAMES.layerLinksDir),
    rootfsDir: join(root, RUNTIME_NAMES.rootfsDir),
    pinsDir: join(root, RUNTIME_NAMES.pinsDir),
    treesDir: join(root, RUNTIME_NAMES.treesDir),
    buildSecretsDir: join(root, RUNTIME_NAMES.buildSecretsDir),
    vmRecord: join(root, RUNTIME_NAMES.vmRecord),
    vmChannel: assertSocketPath(join(root, RUNTIME_NAMES.vmChannel)),
    vmConsole: join(root, RUNTIME_NAMES.vmConsole),
    vmPrograms: join(root, RUNTIME_NAMES.vmPrograms),
    runtimesDir: join(root, RUNTIME_NAMES.runtimesDir),
    container: (id) => taskPaths(join(containersDir, id)),
    sandbox: (id) => sandboxPaths(join(sandboxesDir, id)),
  };
}

/** The path itself when the kernel can open a socket there; `invalid-argument` otherwise. */
export function assertSocketPath(path: string): string {
  const length = Buffer.byteLength(path);
  if (length > LONGEST_SOCKET_PATH_BYTES) {
    throw socketPathTooLong(path, length, LONGEST_SOCKET_PATH_BYTES);
  }
  return path;
}

/** Put together by hand: `join` normalizes what is normal already, which lists of many containers feel. */
function containerDataPaths(dir: string): ContainerDataPaths {
  const id = dir.slice(dir.lastIndexOf('/') + 1);
  return {
    dir,
    document: `${dir}/${CONTAINER_NAMES.document}`,
    log: `${dir}/${CONTAINER_NAMES.log}`,
    jsonLog: `${dir}/${id}${JSON_LOG_ENDING}`,
    journalProgress: `${dir}/${CONTAINER_NAMES.journalProgress}`,
    hosts: `${dir}/${CONTAINER_NAMES.hosts}`,
    hostname: `${dir}/${CONTAINER_NAMES.hostname}`,
    resolvConf: `${dir}/${CONTAINER_NAMES.resolvConf}`,
  };
}

function volumePaths(dir: string): VolumePaths {
  return {
    dir,
    document: join(dir, VOLUME_NAMES.document),
    dataDir: join(dir, VOLUME_NAMES.dataDir),
  };
}

function taskPaths(dir: string): TaskPaths {
  return {
    dir,
    bundleDir: join(dir, TASK_NAMES.bundleDir),
    task: join(dir, TASK_NAMES.task),
  };
}

function sandboxPaths(dir: string): SandboxPaths {
  return {
    dir,
    netns: join(dir, SANDBOX_NAMES.netns),
    document: join(dir, SANDBOX_NAMES.document),
  };
}
