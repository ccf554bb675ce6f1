/** Containers as the list and inspect show them. */
import type { ContainerDocument, MountPoint } from '../../engine/containers/container-document.ts';
import { shortId } from '../../shared/ids.ts';
import { type ApiVersion, isAtLeast } from '../../wire/api-version.ts';
import type { ContainerConfig } from '../../wire/container-config.ts';
import type { ContainerView } from '../backends.ts';
import { toNetworkSettings, toNetworks, toPortRows } from './container-network.ts';
import { statusText, statusWord, toState } from './container-status.ts';
import { networkMode, toHostConfig } from './host-config.ts';

/** One entry of `GET /containers/json`. */
export function toContainerSummary(
  view: ContainerView,
  { nowMs, version }: { readonly nowMs: number; readonly version: ApiVersion },
): object {
  const { document } = view;
  return {
    Id: document.id,
    Names: [document.name, ...view.linkNames].map((name) => `/${name}`),
    Image: view.imageStillTagged ? document.imageRef : document.imageId,
    ImageID: document.imageId,
    Command: commandLine(document.config),
    Created: Math.floor(Date.parse(document.createdAt) / 1000),
    Ports: toPortRows(document),
    ...sizes(view),
    Labels: document.config.Labels ?? {},
    State: statusWord(document.status),
    Status: statusText(document, nowMs),
    HostConfig: {
      NetworkMode: networkMode(document.hostConfig),
      ...(document.hostConfig.Annotations ? { Annotations: document.hostConfig.Annotations } : {}),
    },
    NetworkSettings: { Networks: toNetworks(document) },
    Mounts: toMounts(document),
    ...manifestField(document, version),
  };
}

/** `GET /containers/{id}/json`. */
export function toContainerInspect(view: ContainerView, version: ApiVersion): object {
  const { document } = view;
  const [path = '', ...args] = argv(document.config);
  return {
    Id: document.id,
    Created: document.createdAt,
    Path: path,
    Args: args,
    State: toState(document, view.pid),
    Image: document.imageId,
    ResolvConfPath: view.nameFiles.resolvConf,
    HostnamePath: view.nameFiles.hostname,
    HostsPath: view.nameFiles.hosts,
    LogPath: view.logPath,
    Name: `/${document.name}`,
    RestartCount: document.restartCount,
    Driver: view.graphDriver.name,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: view.execIds.length === 0 ? null : view.execIds,
    HostConfig: {
      ...toHostConfig(document.hostConfig, document.runtimeName),
      Links: view.links.length === 0 ? null : view.links,
    },
    GraphDriver: { Data: view.graphDriver.data, Name: view.graphDriver.name },
    ...sizes(view),
    Mounts: toMounts(document),
    Config: toConfig(document),
    NetworkSettings: toNetworkSettings(document),
    ...manifestField(document, version),
  };
}

/** Since API 1.48. */
function manifestField({ imageManifest }: ContainerDocument, version: ApiVersion): object {
  const isTold = imageManifest !== undefined && isAtLeast(version, '1.48');
  return isTold ? { ImageManifestDescriptor: imageManifest } : {};
}

function sizes(view: ContainerView): object {
  return {
    ...(view.sizeRwBytes === undefined ? {} : { SizeRw: view.sizeRwBytes }),
    ...(view.sizeRootFsBytes === undefined ? {} : { SizeRootFs: view.sizeRootFsBytes }),
  };
}

function argv(config: ContainerConfig): readonly string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}

/** `docker ps`'s `COMMAND`: arguments with spaces are quoted, the program itself never is. */
function commandLine(config: ContainerConfig): string {
  const [path = '', ...args] = argv(config);
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** `--tmpfs` mounts are shown in `HostConfig.Tmpfs` only, as in Docker. */
function toMounts(document: ContainerDocument): object[] {
  const plainTmpfs = new Set(Object.keys(document.hostConfig.Tmpfs ?? {}));
  return document.mounts
    .filter((mount) => mount.type !== 'tmpfs' || !plainTmpfs.has(mount.destination))
    .map(toMount);
}

function toMount(mount: MountPoint): object {
  const isVolume = mount.type === 'volume';
  return {
    Type: mount.type,
    ...(isVolume ? { Name: mount.name } : {}),
    Source: mount.source,
    Destination: mount.destination,
    ...(isVolume ? { Driver: 'local' } : {}),
    Mode: mount.mode,
    RW: !mount.readOnly,
    Propagation: mount.propagation,
  };
}

/** The keys of `Config` that Docker always writes. */
const CONFIG_DEFAULTS = {
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: [],
  Cmd: null,
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: {},
} satisfies ContainerConfig;

/** `Config` as Docker echoes it: empty values of the keys that are optional there are left out. */
function toConfig(document: ContainerDocument): object {
  const isSet = ([, value]: [string, unknown]) =>
    value !== undefined && value !== null && value !== false && value !== '';
  return {
    ...CONFIG_DEFAULTS,
    Hostname: shortId(document.id),
    Image: document.imageRef,
    ...Object.fromEntries(Object.entries(document.config).filter(isSet)),
  };
}
