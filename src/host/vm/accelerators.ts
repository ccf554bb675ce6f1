/** Which help of the processor QEMU can use on this computer: found by trying, best first. */
import { accessSync, constants, existsSync } from 'node:fs';
import { run } from '../../sys/exec/run.ts';

/** Best first; the last one always works, and is no help. */
const ACCELERATORS = ['kvm', 'hvf', 'whpx', 'tcg'] as const;
export type Accelerator = (typeof ACCELERATORS)[number];
type Helper = Exclude<Accelerator, 'tcg'>;

/** The best accelerator, and a sentence with the cure for each better one that QEMU has and cannot use. */
export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  readonly notes: readonly string[];
}

/** `problem`: why it cannot be used, as QEMU says it; undefined when it can. */
export type TryAccelerator = (name: Helper) => Promise<string | undefined>;

const TRY_TIMEOUT_MS = 10_000;
const KVM_DEVICE = '/dev/kvm';
const CURES: Readonly<Record<Helper, string>> = {
  kvm: 'turn on virtualisation in the firmware, or nested virtualisation where this computer is a virtual machine itself',
  hvf: 'install a QEMU that is signed for it (com.apple.security.hypervisor), as Homebrew’s is',
  whpx: 'turn on the Windows feature "Windows Hypervisor Platform"',
};

/** The first of those in `offered` (QEMU's answer to `-accel help`, a word on each line) that can be used. */
export async function chooseAccelerator(
  offered: string,
  tryOne: TryAccelerator,
): Promise<AcceleratorChoice> {
  const words = new Set(offered.split(/\s+/));
  const notes: string[] = [];
  for (const accelerator of ACCELERATORS) {
    if (accelerator === 'tcg' || !words.has(accelerator)) continue;
    const problem = await tryOne(accelerator);
    if (problem === undefined) return { accelerator, notes };
    notes.push(`QEMU cannot use ${accelerator}: ${problem}`);
  }
  return {
    accelerator: 'tcg',
    notes: ['the virtual machine runs without help by the processor, which is slow', ...notes],
  };
}

/** Starts QEMU with a machine that does not run: some fail only when they are given a processor. */
export function tryWith(program: string, machine: string): TryAccelerator {
  return async (name) => {
    if (name === 'kvm') {
      const problem = kvmProblem(KVM_DEVICE);
      if (problem !== undefined) return problem;
    }
    const bare = ['-cpu', 'host', '-m', '64', '-nodefaults', '-no-user-config', '-display', 'none'];
    const args = ['-M', machine, '-S', '-accel', name, ...bare, '-monitor', 'stdio'];
    const options = { timeoutMs: TRY_TIMEOUT_MS, stdin: 'quit\n' };
    const { exitCode, stderr } = await run({ file: program, args }, options);
    if (exitCode === 0) return undefined;
    return `${stderr.trim().split('\n').at(-1) || `exit code ${exitCode}`}; ${CURES[name]}`;
  };
}

/** Why this user cannot open the device, with the cure. */
export function kvmProblem(device: string): string | undefined {
  if (!existsSync(device)) return `there is no ${device}; ${CURES.kvm}`;
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return `${device} is not this user’s to open; become a member of its group (sudo usermod -aG kvm "$USER") and log in again`;
  }
}
