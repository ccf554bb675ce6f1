/** What CDI devices add to the configuration of a container. */
import type { SpecHooks, SpecMount } from '../../oci/runtime-spec.ts';
import { mappedDeviceMounts } from '../bundle/devices.ts';
import { unsupportedCdiEdit } from '../runtime-errors.ts';
import type { CdiEdits } from './cdi-spec.ts';

/** Parts of a runtime configuration. */
export interface CdiParts {
  readonly env: readonly string[];
  readonly mounts: readonly SpecMount[];
  readonly hooks: SpecHooks;
  readonly gids: readonly number[];
}

/** Hooks that the runtime runs while it creates and starts; the later ones would need its own `start` and `delete`. */
const HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer'] as const;

/** `invalid-argument` for what cannot be given: a device that is not there, a group that is not mapped, … */
export async function specParts(edits: CdiEdits, mappedGids: number): Promise<CdiParts> {
  const strangers = edits.additionalGids.filter((gid) => gid >= mappedGids);
  if (strangers.length > 0) {
    throw unsupportedCdiEdit(`group ${strangers.join(', ')} is not mapped into the user namespace`);
  }
  if (edits.intelRdt !== undefined) throw unsupportedCdiEdit('intelRdt takes root');
  if (edits.netDevices !== undefined) {
    throw unsupportedCdiEdit('network devices of the host cannot be moved without root');
  }
  return {
    env: edits.env,
    mounts: [...(await deviceMounts(edits)), ...edits.mounts.map(toMount)],
    hooks: hooksOf(edits),
    // Group 0 needs no mention, and one of the container's own is no news to it.
    gids: edits.additionalGids.filter((gid) => gid !== 0),
  };
}

function deviceMounts({ deviceNodes }: CdiEdits): Promise<readonly SpecMount[]> {
  return mappedDeviceMounts(
    deviceNodes.map(({ path, hostPath }) => ({
      PathOnHost: hostPath ?? path,
      PathInContainer: path,
      CgroupPermissions: '',
    })),
  );
}

function toMount({
  hostPath,
  containerPath,
  options,
  type,
}: CdiEdits['mounts'][number]): SpecMount {
  const isBind = type === '' || type === 'bind';
  const binds = options.includes('bind') || options.includes('rbind');
  return {
    destination: containerPath,
    source: hostPath,
    type: isBind ? 'bind' : type,
    options: isBind && !binds ? ['rbind', ...options] : options,
  };
}

function hooksOf({ hooks }: CdiEdits): SpecHooks {
  const strange = hooks.find(({ hookName }) => !HOOKS.some((name) => name === hookName));
  if (strange !== undefined) throw unsupportedCdiEdit(`hook ${strange.hookName} is never run here`);
  const entries = HOOKS.map((name) => [
    name,
    hooks.filter(({ hookName }) => hookName === name).map(({ hookName: _, ...hook }) => hook),
  ]);
  return Object.fromEntries(entries.filter(([, list]) => (list?.length ?? 0) > 0));
}
