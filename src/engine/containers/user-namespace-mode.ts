/** Whose ids a container has: the engine's, or with one user of its own who is the caller (`keep-id`). */
import type { KeptId } from '../../oci/kept-id.ts';
import type { ContainerConfig, HostConfig } from '../../wire/container-config.ts';
import type { ContainerDeps } from './container-deps.ts';
import { invalidHostConfig } from './host-config-errors.ts';

export type UserNamespaceMode =
  /** Shared with the engine: root of the container is the caller. */
  | { readonly kind: 'engine' }
  /** Undefined `ids`: those of the user that the container runs as. */
  | { readonly kind: 'keep-id'; readonly ids: KeptId | undefined };

/** The label that asks for a mode where clients take no other value of `--userns` than `host`. */
const LABEL = 'wherry.userns';
const KEEP_ID = /^keep-id(?::(?:uid=)?(\d+)(?:,(?:gid=)?(\d+))?)?$/;
const LARGEST_ID = 2 ** 31 - 1;

/** Undefined for a text that is no mode. `keep-id:1000,1000` and podman's `keep-id:uid=1000,gid=1000` mean the same. */
export function parseUserNamespaceMode(text: string): UserNamespaceMode | undefined {
  if (text === '' || text === 'host') return { kind: 'engine' };
  const [whole, uid, gid = uid] = KEEP_ID.exec(text) ?? [];
  if (whole === undefined) return undefined;
  if (uid === undefined) return { kind: 'keep-id', ids: undefined };
  const ids = { uid: Number(uid), gid: Number(gid) };
  return Math.max(ids.uid, ids.gid) > LARGEST_ID ? undefined : { kind: 'keep-id', ids };
}

/** The mode of a new container: as asked for, by its label, or as the daemon is set up. `invalid-argument` for no mode. */
export function chosenUserNamespace(
  request: { readonly hostConfig: HostConfig; readonly config: ContainerConfig },
  fallback: string,
): UserNamespaceMode {
  const asked = request.hostConfig.UsernsMode || request.config.Labels?.[LABEL] || fallback;
  const mode = parseUserNamespaceMode(asked);
  if (mode === undefined) throw invalidHostConfig(userNamespaceProblem(asked) ?? asked);
  return mode;
}

/** Why a text is no mode; undefined for one that is. */
export function userNamespaceProblem(text: string): string | undefined {
  if (parseUserNamespaceMode(text) !== undefined) return undefined;
  return `invalid userns mode: ${text}: it is "host", or "keep-id", or "keep-id:UID,GID"`;
}

/** The ids that the container will keep, from its image's accounts where the mode does not name them. */
export async function keptIdsOf(
  deps: Pick<ContainerDeps, 'snapshots' | 'specs'>,
  id: string,
  container: { readonly mode: UserNamespaceMode; readonly user: string },
): Promise<KeptId | undefined> {
  const { mode, user } = container;
  if (mode.kind === 'engine') return undefined;
  const { uid, gid } = mode.ids ?? (await accountOf(deps, id, user));
  // Root of the container is the caller anyway.
  return uid === 0 && gid === 0 ? undefined : { uid, gid };
}

async function accountOf(
  deps: Pick<ContainerDeps, 'snapshots' | 'specs'>,
  id: string,
  user: string,
): Promise<KeptId> {
  const rootfsDir = await deps.snapshots.mount(id);
  try {
    return await deps.specs.resolveUser(rootfsDir, user);
  } finally {
    await deps.snapshots.unmount(id);
  }
}
