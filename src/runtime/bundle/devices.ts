/**
 * Devices of the host inside a container. No device can be made in a user namespace, so they are bind-mounted; the
 * kernel's own checks of owner and mode go on to apply.
 */
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { DeviceMapping } from '../../wire/container-config.ts';
import { deviceUnavailable, notADevice } from '../runtime-errors.ts';

/** Made by the runtime for every container, or belonging to its own terminals and memory. */
const CONTAINER_OWN = new Set(
  ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console', 'ptmx', 'pts', 'shm', 'mqueue']
    .concat('fd', 'stdin', 'stdout', 'stderr', 'core')
    .map((name) => `/dev/${name}`),
);

/** Devices asked for by name (`--device`); a directory stands for all devices in it. */
export async function mappedDeviceMounts(
  mappings: readonly DeviceMapping[],
): Promise<readonly SpecMount[]> {
  const found = await Promise.all(mappings.map(expand));
  return found.flat();
}

/** Every device below `/dev` that we may open, for privileged containers. */
export async function accessibleDeviceMounts(): Promise<readonly SpecMount[]> {
  const paths = (await devicesBelow('/dev')).filter((path) => !CONTAINER_OWN.has(path));
  const usable = await Promise.all(paths.map(isUsable));
  return paths.filter((_, at) => usable[at]).map((path) => deviceMount(path, path));
}

async function expand(mapping: DeviceMapping): Promise<readonly SpecMount[]> {
  const { PathOnHost: source } = mapping;
  const target = mapping.PathInContainer || source;
  const kind = await kindOf(source);
  if (kind === 'device') return [deviceMount(source, target)];
  if (kind === 'other') throw notADevice(source);
  const devices = await devicesBelow(source);
  return devices.map((path) => deviceMount(path, join(target, path.slice(source.length))));
}

async function kindOf(path: string): Promise<'device' | 'directory' | 'other'> {
  try {
    const facts = await stat(path);
    if (facts.isCharacterDevice() || facts.isBlockDevice()) return 'device';
    return facts.isDirectory() ? 'directory' : 'other';
  } catch (error) {
    throw deviceUnavailable(path, error);
  }
}

async function devicesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = join(dir, entry.name);
      if (CONTAINER_OWN.has(path)) return [];
      if (entry.isDirectory()) return await devicesBelow(path);
      return entry.isCharacterDevice() || entry.isBlockDevice() ? [path] : [];
    }),
  );
  return nested.flat();
}

async function isUsable(path: string): Promise<boolean> {
  const modes = [constants.R_OK, constants.W_OK];
  const allowed = await Promise.all(
    modes.map((mode) =>
      access(path, mode).then(
        () => true,
        () => false,
      ),
    ),
  );
  return allowed.includes(true);
}

function deviceMount(source: string, destination: string): SpecMount {
  return { destination, source, type: 'bind', options: ['bind', 'rprivate', 'nosuid', 'noexec'] };
}
