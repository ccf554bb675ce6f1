/** From `Binds`, `Mounts`, `Tmpfs`, `Volumes` and `VolumesFrom` to the mounts of a container. */
import type { ContainerFiles } from '../../storage/container-files.ts';
import type { ContainerConfig, HostConfig, MountRequest } from '../../wire/container-config.ts';
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
  }): Promise<string>;
  mountpoint(name: string): string;
}

export interface ResolveMountsDeps {
  readonly files: Pick<ContainerFiles, 'kindOf' | 'makeDirectory'>;
  readonly volumes: MountVolumes;
  /** Mounts of the container named in `VolumesFrom`. */
  readonly mountsOf: (ref: string) => readonly MountPoint[];
}

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

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
  for (const bind of hostConfig.Binds ?? []) add(await resolveBind(deps, bind));
  for (const request of hostConfig.Mounts ?? []) add(await resolveMount(deps, request));
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) {
    add(tmpfsMount(checkTarget(target), options));
  }
  for (const target of Object.keys(config.Volumes ?? {})) {
    const destination = checkTarget(target);
    if (!found.has(destination))
      add(await volumeMount(deps, { Target: destination, Type: 'volume' }));
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

function inheritedMounts(deps: ResolveMountsDeps, from: string): readonly MountPoint[] {
  const match = /^(.*?)(?::(ro|rw|z|Z))?$/.exec(from);
  const readOnly = match?.[2] === 'ro';
  return deps
    .mountsOf(match?.[1] ?? from)
    .filter((mount) => mount.type !== 'tmpfs')
    .map((mount) => ({ ...mount, anonymous: false, readOnly: mount.readOnly || readOnly }));
}

async function resolveBind(deps: ResolveMountsDeps, text: string): Promise<MountPoint> {
  const bind = parseBind(text);
  const destination = checkTarget(bind.destination);
  const common = { destination, readOnly: bind.readOnly, mode: bind.mode, tmpfsOptions: '' };
  if (!bind.source.startsWith('/')) {
    const name = await deps.volumes.ensure({
      name: bind.source,
      labels: {},
      options: {},
      driver: undefined,
    });
    const source = deps.volumes.mountpoint(name);
    return { ...common, type: 'volume', name, source, propagation: '', anonymous: false };
  }
  const source = bind.source;
  if ((await deps.files.kindOf(source)) === 'missing') await deps.files.makeDirectory(source);
  const propagation = bind.propagation || 'rprivate';
  return { ...common, type: 'bind', name: '', source, propagation, anonymous: false };
}

function resolveMount(deps: ResolveMountsDeps, request: MountRequest): Promise<MountPoint> {
  switch (request.Type) {
    case 'bind':
      return bindMount(deps, request);
    case 'volume':
      return volumeMount(deps, request);
    case 'tmpfs':
      return Promise.resolve(tmpfsMount(checkTarget(request.Target), tmpfsOptions(request)));
    default:
      throw invalidMount(
        `invalid mount config for type "${request.Type}": mount type unknown to this engine`,
      );
  }
}

async function bindMount(deps: ResolveMountsDeps, request: MountRequest): Promise<MountPoint> {
  const refuse = (why: string) => invalidMount(`invalid mount config for type "bind": ${why}`);
  const source = request.Source ?? '';
  if (source === '') throw refuse('field Source must not be empty');
  if (!source.startsWith('/'))
    throw refuse(`invalid mount path: '${source}' mount path must be absolute`);
  const propagation = request.BindOptions?.Propagation || 'rprivate';
  if (!PROPAGATIONS.includes(propagation)) throw refuse(`invalid propagation mode: ${propagation}`);
  if ((await deps.files.kindOf(source)) === 'missing') {
    if (request.BindOptions?.CreateMountpoint !== true) {
      throw refuse(`bind source path does not exist: ${source}`);
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
    propagation,
    tmpfsOptions: '',
    anonymous: false,
  };
}

async function volumeMount(deps: ResolveMountsDeps, request: MountRequest): Promise<MountPoint> {
  const destination = checkTarget(request.Target);
  const options = request.VolumeOptions;
  if (options?.Subpath) {
    throw invalidMount('invalid mount config for type "volume": Subpath is not supported');
  }
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
    mode: options?.NoCopy === true ? 'nocopy' : 'z',
    propagation: '',
    tmpfsOptions: '',
    anonymous: !request.Source,
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
  return options.join(',');
}
