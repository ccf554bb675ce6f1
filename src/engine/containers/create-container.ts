/** `POST /containers/create`. */
import type { CreateContainerRequest } from '../../api/backends.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import type { KeptId } from '../../oci/kept-id.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { type ContainerId, newContainerId, shortId } from '../../shared/ids.ts';
import type { ContainerConfig, HostConfig } from '../../wire/container-config.ts';
import { isUnknownCheck } from '../health/check-healthcheck.ts';
import type { ImageView } from '../images/image-view.ts';
import { checkCreateRequest } from './check-create-request.ts';
import { type ContainerDeps, reportCleanup } from './container-deps.ts';
import type { ContainerDocument, ContainerLink, MountPoint } from './container-document.ts';
import { noCommand, platformMismatch } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { generateName, parseContainerName } from './container-names.ts';
import { copyUpVolumes } from './copy-up-volumes.ts';
import { ineffectiveEndpointSettings } from './endpoint-options.ts';
import { endpointsOf } from './endpoint-requests.ts';
import { ineffectiveSettings } from './ineffective-settings.ts';
import { resolveLinks } from './links.ts';
import { mergeLogConfig } from './log-drivers.ts';
import { mergeImageConfig } from './merge-image-config.ts';
import { withContainerIds } from './namespace-modes.ts';
import { networkModeText, parseNetworkMode } from './network-mode.ts';
import { type ResolveMountsDeps, resolveMounts } from './resolve-mounts.ts';
import { chosenUserNamespace, keptIdsOf } from './user-namespace-mode.ts';

export interface CreatedContainer {
  readonly id: ContainerId;
  readonly warnings: readonly string[];
}

/**
 * Makes a container from an image: name, snapshot, volumes, document. On failure everything made is undone.
 * A missing image is `not-found`, the client's cue to pull.
 */
export async function createContainer(
  deps: ContainerDeps,
  asked: CreateContainerRequest,
): Promise<CreatedContainer> {
  const LogConfig = mergeLogConfig(asked.hostConfig.LogConfig, deps.settings.log);
  const hostConfig = withContainerIds(deps.registry, { ...asked.hostConfig, LogConfig });
  const request = { ...asked, hostConfig };
  const given = request.name === undefined ? undefined : parseContainerName(request.name);
  checkCreateRequest(deps.settings, request);
  const userNamespace = chosenUserNamespace(request, deps.settings.defaultUserns);
  const links = resolveLinks(deps.registry, request.hostConfig);
  const warnings = createWarnings(deps, request);
  endpointsOf(deps.sandboxes.networks(), request);
  const image = await deps.images.resolve(request.config.Image ?? '');
  checkPlatform(request, image);
  const config = mergedConfig(request, image);

  const id = newContainerId();
  await using undo = new CleanupStack(reportCleanup(deps, id));
  const name = given ?? generateName((taken) => deps.registry.isNameTaken(taken));
  deps.registry.reserveName(name, id);
  undo.defer(() => deps.registry.releaseName(name, id));
  deps.failpoints.hit('container-create:after-name');
  const mounts = await resolveMounts(mountDeps(deps, id), config, request.hostConfig);
  undo.defer(() => removeAnonymousVolumes(deps, mounts));
  deps.failpoints.hit('container-create:after-volumes');
  await deps.snapshots.prepareActive(id, image.layerChainIds.at(-1));
  undo.defer(() => deps.snapshots.removeActive(id));
  deps.failpoints.hit('container-create:after-snapshot');
  const ids = await keptIdsOf(deps, id, { mode: userNamespace, user: config.User ?? '' });
  if (ids !== undefined) await deps.snapshots.keepIds(id, ids);
  await copyUpVolumes(deps, id, mounts);
  const made = { id, name, config, image, mounts, links };
  const document = newDocument(deps, { ...made, request, ids });
  await deps.registry.add(document);
  deps.failpoints.hit('container-create:after-document');
  await deps.volumes.keep(anonymousNames(mounts));

  undo.release();
  publishContainerEvent(deps, document, { action: 'create' });
  return { id, warnings };
}

/** What the container will not get, although it is made. */
function createWarnings(
  deps: ContainerDeps,
  { config, hostConfig, networkingConfig }: CreateContainerRequest,
): readonly string[] {
  const lacksInit = hostConfig.Init === true && deps.settings.initPath === undefined;
  return [
    ...ineffectiveSettings(hostConfig),
    ...deps.specs.shortcomings(hostConfig),
    ...networkWarnings(deps.settings, hostConfig),
    ...Object.entries(networkingConfig.EndpointsConfig ?? {}).flatMap(([name, settings]) =>
      ineffectiveEndpointSettings(name, settings ?? {}),
    ),
    ...(lacksInit ? ['Init is discarded: this machine has no static init; install tini.'] : []),
    ...(isUnknownCheck(config.Healthcheck) ? [UNKNOWN_CHECK] : []),
  ];
}

/** A container that would reach everything elsewhere. */
function networkWarnings(
  { networkLack }: ContainerDeps['settings'],
  { NetworkMode }: HostConfig,
): readonly string[] {
  const { kind } = parseNetworkMode(NetworkMode);
  if (networkLack === undefined || (kind !== 'bridge' && kind !== 'network')) return [];
  return [`The container reaches the outside by TCP and name lookups only: ${networkLack}`];
}

const UNKNOWN_CHECK =
  'Healthcheck is discarded: its Test begins with neither NONE, CMD nor CMD-SHELL.';

function checkPlatform(request: CreateContainerRequest, image: ImageView): void {
  const wanted = request.platform;
  if (wanted === undefined || wanted === '') return;
  const { os, architecture, variant } = image.config;
  const actual = [os, architecture, variant].filter(Boolean).join('/');
  const matches = actual === wanted || `${os}/${architecture}` === wanted || os === wanted;
  if (!matches) throw platformMismatch(request.config.Image ?? '', wanted, actual);
}

function mergedConfig(request: CreateContainerRequest, image: ImageView): ContainerConfig {
  const merged = mergeImageConfig(request.config, image.config.config ?? {});
  const command = [...(merged.Entrypoint ?? []), ...(merged.Cmd ?? [])];
  if (command.length === 0) throw noCommand();
  return merged;
}

async function removeAnonymousVolumes(
  deps: ContainerDeps,
  mounts: readonly MountPoint[],
): Promise<void> {
  for (const name of anonymousNames(mounts)) await deps.volumes.removeUnused(name);
}

function anonymousNames(mounts: readonly MountPoint[]): readonly string[] {
  return mounts.filter(({ anonymous }) => anonymous).map(({ name }) => name);
}

/** Anonymous volumes remember whom they are for until that container exists: a crash must not strand them. */
function mountDeps(deps: ContainerDeps, id: ContainerId): ResolveMountsDeps {
  return {
    files: deps.files,
    sharedPlaces: deps.settings.sharedPlaces,
    image: (ref) => deps.images.resolve(ref),
    mountsOf: (ref) => deps.registry.resolve(ref).mounts,
    volumes: {
      ensure: (request) => deps.volumes.ensure({ ...request, madeFor: id }),
      mountpoint: (name) => deps.volumes.mountpoint(name),
    },
  };
}

interface NewDocument {
  readonly id: ContainerId;
  readonly name: string;
  readonly config: ContainerConfig;
  readonly image: ImageView;
  readonly mounts: readonly MountPoint[];
  readonly links: readonly ContainerLink[];
  readonly request: CreateContainerRequest;
  readonly ids: KeptId | undefined;
}

function manifestOf({ manifest, config }: ImageView): Descriptor {
  const { mediaType, digest, size } = manifest;
  const { architecture, os, variant } = config;
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  return { mediaType, digest, size, platform };
}

function newDocument(deps: ContainerDeps, input: NewDocument): ContainerDocument {
  const { id, image, request } = input;
  const { Links: _, ...unlinked } = request.hostConfig;
  const complete = withDefaults(deps, withoutNetwork(input.config, unlinked));
  const hostConfig = withIdentity(complete, input.ids);
  return {
    v: 1,
    id,
    name: input.name,
    createdAt: deps.clock.nowIso(),
    imageRef: request.config.Image ?? '',
    imageId: image.id,
    imageManifest: manifestOf(image),
    parentChainId: image.layerChainIds.at(-1) ?? null,
    config: { ...input.config, Hostname: hostnameOf(deps, input) },
    hostConfig,
    endpointSettings: endpointsOf(deps.sandboxes.networks(), request),
    mounts: input.mounts,
    ...(input.links.length === 0 ? {} : { links: input.links }),
    runtimeName: hostConfig.Runtime ?? deps.settings.defaultRuntime,
    restartCount: 0,
    status: { state: 'created' },
  };
}

/** The choice is seen also where a label or the daemon made it. */
function withIdentity(hostConfig: HostConfig, ids: KeptId | undefined): HostConfig {
  if (ids === undefined || hostConfig.UsernsMode) return hostConfig;
  return { ...hostConfig, UsernsMode: `keep-id:${ids.uid},${ids.gid}` };
}

/** `NetworkDisabled` means the network mode `none`. */
function withoutNetwork(config: ContainerConfig, hostConfig: HostConfig): HostConfig {
  return config.NetworkDisabled === true ? { ...hostConfig, NetworkMode: 'none' } : hostConfig;
}

/** The settings that dockerd fills in before it stores them. */
function withDefaults(deps: ContainerDeps, given: HostConfig): HostConfig {
  const mode = parseNetworkMode(given.NetworkMode);
  return {
    ...given,
    NetworkMode: networkModeText(mode),
    Runtime: given.Runtime || deps.settings.defaultRuntime,
    IpcMode: given.IpcMode || 'private',
    ShmSize: given.ShmSize || 64 * 1024 * 1024,
    ...defaultSwap(given),
    RestartPolicy: {
      Name: given.RestartPolicy?.Name || 'no',
      MaximumRetryCount: given.RestartPolicy?.MaximumRetryCount ?? 0,
    },
  };
}

/** With a limit of memory and none of both together, Docker allows as much swap as memory. */
function defaultSwap({ Memory = 0, MemorySwap = 0 }: HostConfig): Pick<HostConfig, 'MemorySwap'> {
  return Memory > 0 && MemorySwap === 0 ? { MemorySwap: 2 * Memory } : {};
}

function hostnameOf(deps: ContainerDeps, input: NewDocument): string {
  if (input.config.Hostname) return input.config.Hostname;
  const mode = parseNetworkMode(input.request.hostConfig.NetworkMode);
  return mode.kind === 'host' ? deps.settings.hostHostname : shortId(input.id);
}
