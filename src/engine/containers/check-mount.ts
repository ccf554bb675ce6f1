/** What can be wrong with one entry of `Mounts` before anything is looked up (Docker's rules and texts). */
import type { MountRequest } from '../../wire/container-config.ts';
import { invalidMount } from './container-errors.ts';

type OptionField = 'BindOptions' | 'VolumeOptions' | 'TmpfsOptions' | 'ImageOptions';

/** The options that belong to each type. */
const OPTIONS_OF: Readonly<Record<string, OptionField>> = {
  bind: 'BindOptions',
  volume: 'VolumeOptions',
  tmpfs: 'TmpfsOptions',
  image: 'ImageOptions',
};
const ALL_OPTIONS: readonly OptionField[] = [
  'BindOptions',
  'VolumeOptions',
  'TmpfsOptions',
  'ImageOptions',
];
const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/** Throws `invalid-argument`. */
export function checkMount(request: MountRequest): void {
  const { Type, Target } = request;
  const own = OPTIONS_OF[Type];
  if (own === undefined) throw refuse(request, 'mount type unknown');
  if (Target === '') throw refuse(request, 'field Target must not be empty');
  if (!Target.startsWith('/')) {
    throw refuse(request, `invalid mount path: '${Target}' mount path must be absolute`);
  }
  for (const field of ALL_OPTIONS) {
    if (field !== own && request[field]) throw refuse(request, mustNotBeGiven(field));
  }
  if (Type === 'bind') checkBind(request);
  if (Type === 'volume') checkVolume(request);
  if (Type === 'image') checkImage(request);
  if (Type === 'tmpfs' && request.Source) throw refuse(request, mustNotBeGiven('Source'));
}

/** The error of a mount, in Docker's form. */
export function refuse({ Type }: MountRequest, why: string) {
  return invalidMount(`invalid mount config for type "${Type}": ${why}`);
}

function checkBind(request: MountRequest): void {
  const { Source = '', BindOptions } = request;
  if (Source === '') throw refuse(request, 'field Source must not be empty');
  if (!Source.startsWith('/')) {
    throw refuse(request, `invalid mount path: '${Source}' mount path must be absolute`);
  }
  const propagation = BindOptions?.Propagation || 'rprivate';
  if (!PROPAGATIONS.includes(propagation)) {
    throw refuse(request, `invalid propagation mode: ${propagation}`);
  }
  const conflict = readOnlyConflict(request, propagation);
  if (conflict !== undefined) throw refuse(request, `mount options conflict: ${conflict}`);
}

/** Which of the options about read-only mounts exclude each other. */
function readOnlyConflict(request: MountRequest, propagation: string): string | undefined {
  const { ReadOnly = false, BindOptions } = request;
  const { NonRecursive, ReadOnlyNonRecursive, ReadOnlyForceRecursive } = BindOptions ?? {};
  if (!ReadOnly && ReadOnlyNonRecursive) return '!ReadOnly && BindOptions.ReadOnlyNonRecursive';
  if (!ReadOnlyForceRecursive) return undefined;
  if (!ReadOnly) return '!ReadOnly && BindOptions.ReadOnlyForceRecursive';
  if (ReadOnlyNonRecursive) return 'ReadOnlyForceRecursive && BindOptions.ReadOnlyNonRecursive';
  if (NonRecursive) return 'ReadOnlyForceRecursive && BindOptions.NonRecursive';
  // What is mounted later would come in writable.
  const isPrivate = ['private', 'rprivate'].includes(propagation);
  return isPrivate ? undefined : `ReadOnlyForceRecursive && Propagation "${propagation}"`;
}

function checkImage({ Type, Target, Source = '', ImageOptions }: MountRequest): void {
  const request = { Type, Target };
  const subpath = ImageOptions?.Subpath ?? '';
  if (Source === '') throw refuse(request, 'field Source must not be empty');
  if (!isLocal(subpath)) {
    throw refuse(request, 'subpath must be a relative path within the image');
  }
}

function checkVolume(request: MountRequest): void {
  const isAnonymous = !request.Source;
  const subpath = request.VolumeOptions?.Subpath ?? '';
  if (isAnonymous && request.ReadOnly === true) {
    throw refuse(request, 'must not set ReadOnly mode when using anonymous volumes');
  }
  if (isAnonymous && subpath !== '') {
    throw refuse(request, 'must not set Subpath when using anonymous volumes');
  }
  if (subpath !== '' && !isLocal(subpath)) {
    throw refuse(request, 'subpath must be a relative path within the volume');
  }
}

/** True for a relative path whose `..` never lead above its beginning. */
function isLocal(path: string): boolean {
  if (path.startsWith('/')) return false;
  let depth = 0;
  for (const part of path.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return false;
  }
  return true;
}

function mustNotBeGiven(field: string): string {
  return `field ${field} must not be specified`;
}
