/** What the host tells the guest on the command line of its kernel, which the guest's init reads. */
import type { VmParts } from './vm-driver.ts';

/** Words without spaces, the same for every driver. */
export function guestOptions({ user, sharedDir, apiSocket }: VmParts): readonly string[] {
  return [
    `wherry.uid=${user.uid}`,
    `wherry.gid=${user.gid}`,
    ...(sharedDir === undefined ? [] : [`wherry.share=${sharedDir}`]),
    ...(apiSocket === undefined ? [] : [`wherry.socket=${apiSocket}`]),
  ];
}
