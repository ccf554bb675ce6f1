/** From `Binds`, `Mounts`, `Tmpfs`, `Volumes` and `VolumesFrom` to the mounts of a container. */

import { kindOf, messageOf } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerFiles } from '../../storage/container-files.ts';
import type { ContainerConfig, HostConfig, MountRequest } from '../../wire/container-config.ts';
import type { ImageView } from '../images/image-view.ts';
import { checkShared, type SharedPlaces } from '../shared-places.ts';
import { checkMount, refuse } from './check-mount.ts';
import type { MountPoint } from './container-document.ts';
import { duplicateMountPoint, invalidMount } from './container-errors.ts';
import { parseBind } from './parse-bind.ts';

/** The part of the volume service that mounts need. */
export interface MountVolumes {
  /** Existing volume or a new one; an absent name makes an anonymous volume. Returns its name. */
  ensure(request: {
    name: string | undefined;
    labels: Readonly<Record<string, string>>;
    options: Readonly<Record<string, string>>;
    driver: string | undefined;
    madeFor?: ContainerId;
  }): Promise<string>;
  mountpoint(name: string): string;
}

export interface ResolveMountsDeps {
  readonly files: Pick<ContainerFiles, 'kindOf' | 'makeDirectory'>;
  readonly volumes: MountVolumes;
  /** The image that a reference names; `not-found` when there is none. */
  readonly image: (ref: string) => Promise<Pick<ImageView, 'id' | 'layerChainIds'>>;
  readonly sharedPlaces: SharedPlaces;
  /** Mounts of the container named in `VolumesFrom`. */
  readonly mountsOf: (ref: string) => readonly MountPoint[];
}

/** What may follow the name of the other container. */
const INHERITED_MODES = ['rw', 'ro', 'z', 'Z'];

/**
 * Resolves every mount, creating volumes as needed. Two explicit mounts at one place are refused;
 * a volume that the image declares yields to an explicit mount at the same place.
 */
export async function resolveMounts(
  deps: ResolveMountsDeps,
  config: ContainerConfig,
  hostConfig: HostConfig,
): Promise<readonly MountPoint[]> {
  const found = new Map<string, MountPoint>();
  const inherited = new Set<string>();
  const add = (mount: MountPoint) => {
    const { destination } = mount;
    if (found.has(destination) && !inherited.delete(destination)) {
      throw duplicateMountPoint(destination);
    }
    found.set(destination, mount);
  };
  for (const from of hostConfig.VolumesFrom ?? []) {
    for (const mount of inheritedMounts(deps, from)) {
      found.set(mount.destination, mount);
      inherited.add(mount.destination);
    }
  }
  const driver = hostConfig.VolumeDriver || undefined;
  for (const bind of hostConfig.Binds ?? []) add(await resolveBind(deps, bind, driver));
  for (const request of hostConfig.Mounts ?? []) add(await resolveMount(deps, request));
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) {
    add(tmpfsMount(checkTarget(target), options));
  }
  for (const target of Object.keys(config.Volumes ?? {})) {
    const destination = checkTarget(target);
    if (!found.has(destination)) add(await anonymousMount(deps, destination, driver));
  }
  return [...found.values()].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}

/** The absolute, normalised form of a mount target. */
function checkTarget(target: string): string {
  if (!target.startsWith('/')) {
    throw invalidMount(`invalid mount path: '${target}' mount path must be absolute`);
  }
  const parts: string[] = [];
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  if (parts.length === 0) {
    throw invalidMount(`invalid volume specification: destination can't be '/'`);
  }
  return `/${parts.join('/')}`;
}

/** The mounts of another container; its own tmpfs mounts cannot be shared. Volumes are not filled once more. */
function inheritedMounts(deps: ResolveMountsDeps, from: string): readonly MountPoint[] {
  const [ref = '', ...modes] = from.split(':');
  const mode = modes.join(':') || 'rw';
  if (ref === '') throw invalidMount(`invalid volumes-from specification: ${JSON.stringify(from)}`);
  if (!INHERITED_MODES.includes(mode)) {
    throw invalidMount(`invalid mode for volumes-from: ${mode}`);
  }
  return mountsOfDonor(deps, ref)
    .filter((mount) => mount.type !== 'tmpfs')
    .map((mount) => ({ ...mount, noCopy: true, readOnly: mount.readOnly || mode === 'ro' }));
}

function mountsOfDonor(deps: ResolveMountsDeps, ref: string): readonly MountPoint[] {
  try {
    return deps.mountsOf(ref);
  } catch (error) {
    // As an error of the request: the status of a missing container is read as a missing image.
    throw kindOf(error) === 'not-found' ? invalidMount(messageOf(error)) : error;
  }
}

async function resolveBind(
  deps: ResolveMountsDeps,
  text: string,
  driver: string | undefined,
): Promise<MountPoint> {
  const bind = parseBind(text);
  const destination = checkTarget(bind.destination);
  const common = { destination, readOnly: bind.readOnly, mode: bind.mode, tmpfsOptions: '' };
  if (!bind.source.startsWith('/')) {
    const name = await deps.volumes.ensure({
      name: bind.source,
      labels: {},
      options: {},
      driver,
    });
    const source = deps.volumes.mountpoint(name);
    return { ...common, type: 'volume', name, source, propagation: '', anonymous: false };
  }
  const source = bind.source;
  checkShared(deps.sharedPlaces, source);
  if ((await deps.files.kindOf(source)) === 'missing') await deps.files.makeDirectory(source);
  const propagation = bind.propagation || 'rprivate';
  return { ...common, type: 'bind', name: '', source, propagation, anonymous: false };
}

async function anonymousMount(
  deps: ResolveMountsDeps,
  destination: string,
  driver: string | undefined,
): Promise<MountPoint> {
  const DriverConfig = driver === undefined ? {} : { Name: driver };
  const VolumeOptions = { DriverConfig };
  return await volumeMount(deps, { Target: destination, Type: 'volume', VolumeOptions });
}

async function resolveMount(deps: ResolveMountsDeps, request: MountRequest): Promise<MountPoint> {
  checkMount(request);
  switch (request.Type) {
    case 'bind':
      return await bindMount(deps, request);
    case 'volume':
      return await volumeMount(deps, request);
    case 'image':
      return await imageMount(deps, request);
    default:
      return tmpfsMount(checkTarget(request.Target), tmpfsOptions(request));
  }
}

async function bindMount(deps: ResolveMountsDeps, request: MountRequest): Promise<MountPoint> {
  const { Source: source = '', BindOptions: options } = request;
  checkShared(deps.sharedPlaces, source);
  if ((await deps.files.kindOf(source)) === 'missing') {
    if (options?.CreateMountpoint !== true) {
      throw refuse(request, `bind source path does not exist: ${source}`);
    }
    await deps.files.makeDirectory(source);
  }
  return {
    type: 'bind',
    name: '',
    source,
    destination: checkTarget(request.Target),
    readOnly: request.ReadOnly ?? false,
    mode: '',
    propagation: options?.Propagation || 'rprivate',
    tmpfsOptions: '',
    anonymous: false,
    ...(options?.NonRecursive === true ? { nonRecursive: true } : {}),
    ...(options?.ReadOnlyNonRecursive === true ? { readOnlyNonRecursive: true } : {}),
  };
}

async function volumeMount(deps: ResolveMountsDeps, request: MountRequest): Promise<MountPoint> {
  const destination = checkTarget(request.Target);
  const options = request.VolumeOptions;
  const name = await deps.volumes.ensure({
    name: request.Source || undefined,
    labels: options?.Labels ?? {},
    options: options?.DriverConfig?.Options ?? {},
    driver: options?.DriverConfig?.Name || undefined,
  });
  return {
    type: 'volume',
    name,
    source: deps.volumes.mountpoint(name),
    destination,
    readOnly: request.ReadOnly ?? false,
    mode: 'z',
    ...(options?.NoCopy === true ? { noCopy: true } : {}),
    propagation: '',
    tmpfsOptions: '',
    anonymous: !request.Source,
    ...(options?.Subpath ? { subpath: options.Subpath } : {}),
  };
}

/** A missing image is an error of this mount: as such it must not make clients pull the container's own image. */
async function imageMount(deps: ResolveMountsDeps, request: MountRequest): Promise<MountPoint> {
  const { Source: source = '', ImageOptions: options } = request;
  const { id, layerChainIds } = await deps.image(source).catch((error: unknown) => {
    throw kindOf(error) === 'not-found' ? refuse(request, messageOf(error)) : error;
  });
  const chainId = layerChainIds.at(-1);
  return {
    type: 'image',
    name: '',
    source,
    destination: checkTarget(request.Target),
    readOnly: true,
    mode: '',
    propagation: '',
    tmpfsOptions: '',
    anonymous: false,
    imageId: id,
    ...(chainId === undefined ? {} : { chainId }),
    ...(options?.Subpath ? { subpath: options.Subpath } : {}),
  };
}

function tmpfsMount(destination: string, options: string): MountPoint {
  return {
    type: 'tmpfs',
    name: '',
    source: '',
    destination,
    readOnly: options.split(',').includes('ro'),
    mode: '',
    propagation: '',
    tmpfsOptions: options,
    anonymous: false,
  };
}

function tmpfsOptions(request: MountRequest): string {
  const options: string[] = [];
  if (request.ReadOnly === true) options.push('ro');
  if (request.TmpfsOptions?.SizeBytes) options.push(`size=${request.TmpfsOptions.SizeBytes}`);
  const mode = request.TmpfsOptions?.Mode;
  if (mode) options.push(`mode=${mode.toString(8)}`);
  for (const option of request.TmpfsOptions?.Options ?? []) options.push(option.join('='));
  return options.join(',');
}
