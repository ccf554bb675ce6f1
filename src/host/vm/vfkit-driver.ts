/**
 * vfkit: Apple's Virtualization.framework by command line (vfkit's doc/usage.md). The machine ends with the process, and a
 * signal to it asks the guest to stop.
 */
import { existsSync } from 'node:fs';
import { VSOCK_PORT } from '../../channel/targets.ts';
import { findExecutableSync } from '../../sys/exec/find-executable.ts';
import { expectSuccess, run } from '../../sys/exec/run.ts';
import { kernelOptions } from './guest-options.ts';
import type { VmDriver, VmParts } from './vm-driver.ts';
import { noVfkit, unusablePath } from './vm-errors.ts';

const PROBE_TIMEOUT_MS = 10_000;
/** Where the system puts Rosetta when somebody installs it. */
const ROSETTA = '/Library/Apple/usr/share/rosetta/rosetta';
const NO_ROSETTA =
  'Rosetta is not installed, so that programs for x86-64 do not run in containers: softwareupdate --install-rosetta';
const GUEST = { console: 'hvc0', share: 'virtiofs', network: 'dhcp', channel: 'vsock' } as const;

/** Finds vfkit; `unavailable` when there is none, or one that does not run. */
export async function findVfkit(
  kind: 'x64' | 'arm64',
  searchPath: string,
  rosetta = ROSETTA,
): Promise<VmDriver> {
  const program = findExecutableSync('vfkit', searchPath);
  if (program === undefined) throw noVfkit();
  const asked = await run({ file: program, args: ['--version'] }, { timeoutMs: PROBE_TIMEOUT_MS });
  expectSuccess(asked, 'ask vfkit for its version');
  const isApple = kind === 'arm64';
  const hasRosetta = isApple && existsSync(rosetta);
  return {
    name: 'vfkit',
    notes: isApple && !hasRosetta ? [NO_ROSETTA] : [],
    features: {
      returnsMemory: false,
      returnsDisk: false,
      sharesFiles: true,
      isAccelerated: true,
      hasOwnDisk: false,
    },
    command: (parts) => ({ file: program, args: vfkitArguments(parts, hasRosetta) }),
  };
}

/** Everything after the program's name. `invalid-argument` for paths that options cannot hold. */
export function vfkitArguments(parts: VmParts, hasRosetta: boolean): readonly string[] {
  const path = (text: string) => {
    // Options are cut at commas, and there is no way to write one.
    if (/[,"]/.test(text)) throw unusablePath(text);
    return text;
  };
  const { sharedDir } = parts;
  const cmdline = kernelOptions({ ...GUEST, hasRosetta }, parts);
  const files = `kernel=${path(parts.kernel)},initrd=${path(parts.initialRoot)}`;
  const devices = [
    // The guest knows its disks by this order.
    ...[parts.root, parts.dataDisk, parts.programDisk].map(
      (disk) => `virtio-blk,path=${path(disk)}`,
    ),
    'virtio-rng',
    'virtio-net,nat',
    `virtio-serial,logFilePath=${path(parts.consoleLog)}`,
    `virtio-vsock,port=${VSOCK_PORT},socketURL=${path(parts.channelSocket)},connect`,
    ...(sharedDir === undefined ? [] : [`virtio-fs,sharedDir=${path(sharedDir)},mountTag=share`]),
    ...(hasRosetta ? ['rosetta,mountTag=rosetta'] : []),
  ];
  return [
    ...['--cpus', String(parts.cpus), '--memory', String(parts.memoryMb)],
    // Its control port is open to every account of the computer unless it is told otherwise.
    ...['--restful-uri', 'none://'],
    ...['--bootloader', `linux,${files},cmdline="${cmdline}"`],
    ...devices.flatMap((device) => ['--device', device]),
  ];
}
