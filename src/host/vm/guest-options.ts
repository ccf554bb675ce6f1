/** What the host tells the guest on the command line of its kernel, which the guest's init reads. */
import type { VmParts } from './vm-driver.ts';

/** What the guest has to know of the machine that it runs in. */
export interface GuestMachine {
  readonly console: string;
  /** The file system by which the host shares its directory. */
  readonly share: '9p' | 'virtiofs';
  /** How the guest gets its address: QEMU's own network has fixed ones. */
  readonly network: 'qemu' | 'dhcp';
  readonly channel: 'virtio' | 'vsock';
  /** The host brings a translator for programs of x86-64. */
  readonly hasRosetta: boolean;
}

/** Words of the kernel's command line. None has a space or a comma in it as long as the paths have none. */
export function kernelOptions(machine: GuestMachine, parts: VmParts): string {
  const { user, sharedDir, apiSocket } = parts;
  return [
    `console=${machine.console} quiet loglevel=3 panic=-1`,
    `wherry.uid=${user.uid} wherry.gid=${user.gid}`,
    ...(sharedDir === undefined ? [] : [`wherry.share=${sharedDir}`]),
    ...(apiSocket === undefined ? [] : [`wherry.socket=${apiSocket}`]),
    ...(machine.share === '9p' ? [] : [`wherry.sharetype=${machine.share}`]),
    ...(machine.network === 'qemu' ? [] : [`wherry.network=${machine.network}`]),
    ...(machine.channel === 'virtio' ? [] : [`wherry.channel=${machine.channel}`]),
    ...(machine.hasRosetta ? ['wherry.rosetta=1'] : []),
  ].join(' ');
}
