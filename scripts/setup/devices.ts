/** Device nodes that rootless containers need and that minimal machines lack. */
import { accessSync, chmodSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { $ } from 'zx';

interface Device {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  /** What fails without it, for the message. */
  readonly neededFor: string;
}

const DEVICES: readonly Device[] = [
  { path: '/dev/net/tun', major: 10, minor: 200, neededFor: 'the uplink of containers' },
  { path: '/dev/fuse', major: 10, minor: 229, neededFor: 'fuse-overlayfs' },
];

/** Sentences about the devices that this account cannot open, each with the command that cures it. */
export function missingDevices(): readonly string[] {
  return DEVICES.filter(({ path }) => !isUsable(path)).map(
    ({ path, major, minor, neededFor }) =>
      `${path} is not accessible (${neededFor}): ` +
      `mkdir -p ${dirname(path)}; mknod ${path} c ${major} ${minor}; chmod 666 ${path}`,
  );
}

/** Makes the devices and opens them to everyone. Root only; a machine that forbids it is left as it is. */
export async function provideDevices(): Promise<void> {
  for (const { path, major, minor } of DEVICES) {
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) {
      await $({ quiet: true, nothrow: true })`mknod ${path} c ${major} ${minor}`;
    }
    if (existsSync(path)) chmodSync(path, 0o666);
  }
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
