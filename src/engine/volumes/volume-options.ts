/** Options of the volume driver `local` (`docker volume create --opt`): `type`, `device`, `o`. */
import type { VolumeMount } from '../../storage/volume-files.ts';
import { checkShared, type SharedPlaces } from '../shared-places.ts';
import {
  invalidVolumeOption,
  missingVolumeOption,
  noVolumeQuota,
  relativeBindDevice,
  unsupportedBindOption,
  unsupportedVolumeType,
} from './volume-errors.ts';

type Options = Readonly<Record<string, string>>;

const KNOWN = ['type', 'device', 'o', 'size'];
/** Docker's rule: what else must be given along with an option. */
const REQUIRED: readonly (readonly [option: string, needs: readonly string[]])[] = [
  ['device', ['type']],
  ['type', ['device']],
  ['o', ['device', 'type']],
];
const BIND_WORDS = ['bind', 'rbind'];
const BIND_OPTIONS = [...BIND_WORDS, 'ro', 'rw'];

/** Refuses what cannot be mounted, with `invalid-argument`: at creation, not at the first start. */
export function checkVolumeOptions(name: string, options: Options, places?: SharedPlaces): void {
  for (const option of Object.keys(options)) {
    if (!KNOWN.includes(option)) throw invalidVolumeOption(name, option);
  }
  if ('size' in options) throw noVolumeQuota(name);
  for (const [option, needs] of REQUIRED) {
    const missing = option in options ? needs.find((need) => !(need in options)) : undefined;
    if (missing !== undefined) throw missingVolumeOption(name, missing);
  }
  const mount = volumeMount(options);
  if (mount === undefined) {
    if (Object.keys(options).length > 0) throw unsupportedVolumeType(name, options['type'] ?? '');
    return;
  }
  if (mount.type !== 'bind') return;
  checkBind(name, mount);
  checkShared(places, mount.device);
}

/** What the options ask to have mounted; undefined for a plain directory and for what cannot be mounted. */
export function volumeMount(options: Options): VolumeMount | undefined {
  const { type, device = '', o = '' } = options;
  const words = o.split(',').filter((word) => word !== '');
  if (type === 'tmpfs') return { type, device: device || 'tmpfs', options: words };
  const isBind = type === 'bind' || words.some((word) => BIND_WORDS.includes(word));
  return isBind ? { type: 'bind', device, options: words } : undefined;
}

function checkBind(name: string, { device, options }: VolumeMount): void {
  if (!device.startsWith('/')) throw relativeBindDevice(name, device);
  const unknown = options.find((option) => !BIND_OPTIONS.includes(option));
  if (unknown !== undefined) throw unsupportedBindOption(name, unknown);
}
