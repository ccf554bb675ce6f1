/** Errors of the blob store, of layers and of snapshots. Texts are Docker's where it has one. */
import type { Digest } from '../oci/digest.ts';
import type { KeptId } from '../oci/kept-id.ts';
import { EngineError, findEngineError, messageOf, systemCode } from '../shared/errors.ts';

/** An archive that is damaged or cut short. */
export function brokenArchive(problem: string): EngineError {
  return new EngineError('corrupt', problem);
}

/** A stream that ended before it should. */
export function unexpectedEnd(): EngineError {
  return new EngineError('corrupt', 'unexpected EOF');
}

/** An entry of a layer that would reach outside the layer's directory. */
export function outsideRoot(problem: string): EngineError {
  return new EngineError('corrupt', `failed to register layer: ${problem}`);
}

/** An entry of a layer that cannot be made, with the reason of the kernel. */
export function cannotExtract(name: string, error: unknown): EngineError {
  if (isDiskFull(error)) return diskFull(`write /${name}`, error);
  const inner = findEngineError(error);
  return new EngineError(
    inner?.kind ?? 'internal',
    `failed to register layer: /${name}: ${messageOf(error)}`,
    { cause: error, ...(inner === undefined ? {} : { details: inner.details }) },
  );
}

/** An owner that the user namespace does not map, and for which nobody else can stand. */
export function ownerNotMapped(name: string, owner: { uid: number; gid: number }): EngineError {
  return new EngineError(
    'internal',
    `failed to register layer: failed to Lchown "/${name}" for UID ${owner.uid}, GID ${owner.gid} ` +
      `(try increasing the number of subordinate IDs in /etc/subuid and /etc/subgid): lchown /${name}: invalid argument`,
  );
}

/** Bytes that do not have the digest they were announced with. */
export function wrongDigest(expected: Digest): EngineError {
  return new EngineError('corrupt', `filesystem layer verification failed for digest ${expected}`, {
    details: { digest: expected },
  });
}

/** A blob with more or fewer bytes than announced. */
export function wrongSize(digest: Digest, expected: number, actual: number): EngineError {
  const problem = actual < expected ? 'unexpected EOF' : 'too many bytes';
  return new EngineError(
    'corrupt',
    `${problem}: blob ${digest} should have ${expected} bytes, ${actual} came`,
    { details: { digest } },
  );
}

/** An unpacked layer that is not the one its image config names. */
export function wrongDiffId(expected: Digest, actual: Digest): EngineError {
  return new EngineError(
    'corrupt',
    `failed to register layer: layer verification failed: diffID should be ${expected}, is ${actual}`,
  );
}

/** A layer that is stopped before it takes the last of the disk. */
export function layerFillsDisk(freeBytes: number): EngineError {
  const megabytes = Math.floor(freeBytes / 1_000_000);
  return new EngineError(
    'unavailable',
    `failed to register layer: it would fill the disk, ${megabytes} MB are left: no space left on device: free some disk space (docker system prune) or move the data directory`,
    { details: { code: 'ENOSPC' } },
  );
}

/** Owners cannot be shown as another user namespace needs them. */
export function cannotKeepIds(cause: unknown): EngineError {
  return new EngineError(
    'unavailable',
    `--userns=keep-id needs fuse-overlayfs: ${messageOf(cause)}: install the package fuse-overlayfs and make /dev/fuse accessible`,
    { cause },
  );
}

/** fuse-overlayfs is missing or does not work on that file system. */
export function fuseRefused(dir: string, cause: unknown): EngineError {
  return new EngineError(
    'unavailable',
    `fuse-overlayfs does not work in ${dir}: ${messageOf(cause)}: install the package fuse-overlayfs and make /dev/fuse accessible`,
    { cause },
  );
}

/** A user that the machine has no id for. */
export function idNotMapped(kept: KeptId, count: number): EngineError {
  return new EngineError(
    'unavailable',
    `--userns=keep-id cannot keep ${kept.uid}:${kept.gid}: only ${count} ids are mapped: an administrator can grant subordinate ids ("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER")`,
  );
}

/** The same, for a storage driver that copies. */
export function keepsNoIds(driver: string): EngineError {
  return new EngineError(
    'unavailable',
    `--userns=keep-id needs the storage driver overlay or fuse-overlayfs, this is ${driver}`,
  );
}

/** A layer packed in a way that is not supported. */
export function unsupportedCompression(mediaType: string): EngineError {
  return new EngineError(
    'not-implemented',
    `layer compression of ${mediaType} is not supported: rebuild or push the image with gzip layers`,
  );
}

/** A blob that is not in the store. */
export function noSuchBlob(digest: Digest): EngineError {
  return new EngineError('not-found', `blob ${digest} not found`, { details: { digest } });
}

/** A blob that is too large for what it should be. */
export function blobTooLarge(digest: Digest, maxBytes: number): EngineError {
  return new EngineError('corrupt', `blob ${digest} is larger than ${maxBytes} bytes`);
}

/** A layer that no snapshot has. */
export function noSuchLayer(chainId: Digest): EngineError {
  return new EngineError('not-found', `layer ${chainId} does not exist`);
}

/** A layer that something stands on. */
export function layerInUse(chainId: Digest): EngineError {
  return new EngineError('conflict', `layer ${chainId} is in use`);
}

/** A container's file system that is not there. */
export function noSuchSnapshot(key: string): EngineError {
  return new EngineError('not-found', `no file system for ${key}`);
}

/** A second file system for one container. */
export function snapshotExists(key: string): EngineError {
  return new EngineError('conflict', `file system for ${key} already exists`);
}

/** The overlay file system cannot be used in a directory, and why. */
export function overlayUnusable(dir: string, reason: unknown): EngineError {
  return new EngineError('unavailable', `overlay does not work in ${dir}: ${messageOf(reason)}`, {
    cause: reason,
  });
}

/** A blob that may be in a shared store that cannot be read. */
export function blobOfUnreadableStore(
  digest: Digest,
  { dir, reason }: { readonly dir: string; readonly reason: string },
): EngineError {
  return new EngineError(
    'not-found',
    `blob ${digest} not found: the shared image store ${dir} cannot be read (${reason}): bring it back, or pull the image`,
  );
}

/** A storage driver that does not exist. */
export function unknownDriver(name: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `unknown storage driver "${name}": known drivers are overlay (overlay2), fuse-overlayfs and copy (vfs)`,
  );
}

/** A failed write of the store: tells a full disk and a read-only one apart from the rest. */
export function writeFailed(what: string, error: unknown): EngineError {
  if (isDiskFull(error)) return diskFull(what, error);
  const inner = findEngineError(error);
  if (inner !== undefined) return inner;
  if (systemCode(error) === 'EROFS') {
    return new EngineError(
      'unavailable',
      `${what}: read-only file system: make the data directory writable or choose another with --data-root`,
      { cause: error },
    );
  }
  return new EngineError('internal', `${what}: ${messageOf(error)}`, { cause: error });
}

function diskFull(what: string, cause: unknown): EngineError {
  return new EngineError(
    'unavailable',
    `${what}: no space left on device: free some disk space (docker system prune) or move the data directory`,
    { cause, details: { code: 'ENOSPC' } },
  );
}

/** True when there was no room for what was to be written. */
export function isDiskFull(error: unknown): boolean {
  const code = systemCode(error) ?? findEngineError(error)?.details['code'];
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** A volume's options that the kernel refuses. Docker's text. */
export function cannotMountVolume(
  target: string,
  wanted: { readonly device: string; readonly options: readonly string[] },
  cause: unknown,
): EngineError {
  const data = wanted.options.length === 0 ? '' : `, data: ${wanted.options.join(',')}`;
  return new EngineError(
    'internal',
    `error while mounting volume '${target}': failed to mount local volume: ` +
      `mount ${wanted.device}:${target}${data}: ${messageOf(cause)}`,
    { cause },
  );
}

/** A path inside a volume that is not there. */
export function subpathUnavailable(subpath: string, cause: unknown): EngineError {
  const missing = ['ENOENT', 'ENOTDIR'].includes(systemCode(cause) ?? '');
  const why = missing ? 'no such file or directory' : messageOf(cause);
  return new EngineError(
    'invalid-argument',
    `cannot access path ${subpath} of the volume: ${why}`,
    {
      cause,
    },
  );
}

/** A path inside a volume whose symlinks lead out of it. */
export function subpathOutside(subpath: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `path ${subpath} leads out of the volume: only paths within it can be mounted`,
  );
}

/** A bind without what is mounted below it, where the kernel wants both or none. */
export function lockedMounts(source: string, cause: unknown): EngineError {
  return new EngineError(
    'invalid-argument',
    `${source} cannot be mounted without what is mounted below it: the kernel does not show a user namespace what ` +
      'lies below mounts of the host. Mount it recursively, or name a directory without mounts in it',
    { cause },
  );
}
