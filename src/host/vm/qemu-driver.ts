/** QEMU: command lines for x86-64 and arm64, with the best accelerator that this host lets us use. */
import { findExecutableSync } from '../../sys/exec/find-executable.ts';
import { expectSuccess, run } from '../../sys/exec/run.ts';
import { type Accelerator, chooseAccelerator, tryWith } from './accelerators.ts';
import { kernelOptions } from './guest-options.ts';
import { findVirtiofsd, shareSocket, startVirtiofsd, virtiofsdCommand } from './virtiofsd.ts';
import type { VmDriver, VmParts } from './vm-driver.ts';
import { noQemu } from './vm-errors.ts';

/** In Node's words. */
type ProcessorKind = 'x64' | 'arm64';

const PROBE_TIMEOUT_MS = 10_000;
const PROGRAMS: Readonly<Record<ProcessorKind, string>> = {
  x64: 'qemu-system-x86_64',
  arm64: 'qemu-system-aarch64',
};
/** `microvm` would be faster, but cannot calibrate its clock without help by the processor. */
const MACHINES: Readonly<Record<ProcessorKind, string>> = { x64: 'q35', arm64: 'virt' };
const CONSOLES: Readonly<Record<ProcessorKind, string>> = { x64: 'ttyS0', arm64: 'ttyAMA0' };

const GUEST = { network: 'qemu', channel: 'virtio', hasRosetta: false } as const;

/** Finds QEMU and asks it what it can; `unavailable` when there is none. */
export async function findQemu(kind: ProcessorKind, searchPath: string): Promise<VmDriver> {
  const program = findExecutableSync(PROGRAMS[kind], searchPath);
  if (program === undefined) throw noQemu(PROGRAMS[kind]);
  const asked = await run(
    { file: program, args: ['-accel', 'help'] },
    { timeoutMs: PROBE_TIMEOUT_MS },
  );
  const offered = expectSuccess(asked, 'ask QEMU for accelerators').stdout;
  const virtiofsd = await findVirtiofsd(searchPath);
  const { accelerator, notes } = await chooseAccelerator(offered, tryWith(program, MACHINES[kind]));
  return {
    name: `qemu (${accelerator})`,
    notes,
    features: {
      returnsMemory: true,
      returnsDisk: true,
      sharesFiles: true,
      isAccelerated: accelerator !== 'tcg',
      hasOwnDisk: false,
    },
    prepare: async (parts) => {
      const { sharedDir } = parts;
      if (virtiofsd === undefined || sharedDir === undefined) return () => undefined;
      const server = virtiofsdCommand(virtiofsd, sharedDir, parts);
      return startVirtiofsd(server, shareSocket(parts));
    },
    command: (parts) => {
      const share = virtiofsd === undefined ? '9p' : 'virtiofs';
      return { file: program, args: qemuArguments({ kind, accelerator, share }, parts) };
    },
  };
}

interface QemuChoices {
  readonly kind: ProcessorKind;
  readonly accelerator: Accelerator;
  readonly share: '9p' | 'virtiofs';
}

/** Everything after the program's name (qemu(1)). */
export function qemuArguments(
  { kind, accelerator, share }: QemuChoices,
  parts: VmParts,
): readonly string[] {
  return [
    ...['-M', MACHINES[kind], '-accel', acceleratorOption(kind, accelerator)],
    ...['-cpu', accelerator === 'tcg' ? 'max' : 'host', '-smp', String(parts.cpus)],
    ...['-m', String(parts.memoryMb), '-nodefaults', '-no-user-config', '-display', 'none'],
    // A panic ends the process, which is noticed; a machine that starts again by itself is not.
    ...['-no-reboot', '-serial', 'chardev:console', '-chardev'],
    `file,id=console,path=${optionValue(parts.consoleLog)},append=on`,
    ...[
      '-kernel',
      parts.kernel,
      '-initrd',
      parts.initialRoot,
      '-append',
      kernelOptions({ ...GUEST, share, console: CONSOLES[kind] }, parts),
    ],
    ...drive('root', parts.root, 'readonly=on'),
    ...drive('data', parts.dataDisk, 'discard=unmap,detect-zeroes=unmap'),
    ...drive('programs', parts.programDisk, 'readonly=on'),
    ...(share === '9p' ? shareBy9p(parts.sharedDir) : shareByVirtiofs(parts)),
    ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net'],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-balloon-pci,free-page-reporting=on'],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=channel,name=wherry'],
    '-chardev',
    `socket,id=channel,path=${optionValue(parts.channelSocket)},server=on,wait=off`,
  ];
}

/** Windows' own interrupt controller stops machines for x86-64, and is the only one for arm64. */
function acceleratorOption(kind: ProcessorKind, accelerator: Accelerator): string {
  if (accelerator === 'tcg') return 'tcg,thread=multi';
  return accelerator === 'whpx' && kind === 'x64' ? 'whpx,kernel-irqchip=off' : accelerator;
}

function drive(id: string, path: string, options: string): readonly string[] {
  const file = `file=${optionValue(path)},if=none,id=${id},format=raw,${options}`;
  return ['-drive', file, '-device', `virtio-blk-pci,drive=${id}`];
}

/** Files as they are: QEMU does with them what its user may. */
function shareBy9p(dir: string | undefined): readonly string[] {
  if (dir === undefined) return [];
  const source = `local,path=${optionValue(dir)},mount_tag=share`;
  return ['-virtfs', `${source},security_model=none,multidevs=remap`];
}

/** The server reads and writes the guest's memory, so that must be memory that can be shared. */
function shareByVirtiofs(parts: VmParts): readonly string[] {
  if (parts.sharedDir === undefined) return [];
  return [
    ...['-object', `memory-backend-memfd,id=memory,size=${parts.memoryMb}M,share=on`],
    ...['-machine', 'memory-backend=memory'],
    ...['-chardev', `socket,id=share,path=${optionValue(shareSocket(parts))}`],
    ...['-device', 'vhost-user-fs-pci,chardev=share,tag=share'],
  ];
}

/** Commas separate options; a doubled one is a comma. */
function optionValue(text: string): string {
  return text.replaceAll(',', ',,');
}
