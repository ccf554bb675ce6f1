/** Running a shell script as the first process of a small virtual machine, without any help by the processor. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import { makeDisk, makeInitialRoot } from './guest-files.ts';
import { guestKernel } from './kernel.ts';

/** One to three minutes are usual; a machine that does much else meanwhile takes longer. */
const RUN_TIMEOUT_MS = 420_000;
const KERNEL_OPTIONS = 'console=ttyS0 quiet panic=-1 loglevel=3';

/** What one step of the script printed, and its exit code. */
export interface GuestStep {
  readonly output: string;
  readonly code: number;
}

/**
 * Boots a guest with this script and waits until it has powered off. The script reports a step by lines
 * `@@begin NAME` and `@@end CODE` around what it prints. Resolves to the steps by name.
 */
export async function runGuest(script: string): Promise<ReadonlyMap<string, GuestStep>> {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-guest-'));
  try {
    const kernel = await guestKernel();
    const disk = await makeDisk(dir, { kernel, script });
    const initialRoot = await makeInitialRoot(dir, kernel);
    const { stdout, stderr } = await runCommand(
      [
        ...['qemu-system-x86_64', '-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max'],
        ...['-smp', '2', '-m', '1024', '-nodefaults', '-no-user-config', '-display', 'none'],
        ...['-no-reboot', '-serial', 'stdio', '-kernel', kernel.image, '-initrd', initialRoot],
        ...['-append', KERNEL_OPTIONS, '-drive', `file=${disk},if=virtio,format=raw,cache=unsafe`],
      ],
      { timeoutMs: RUN_TIMEOUT_MS },
    );
    const steps = parseSteps(stdout);
    assert.ok(steps.has('done'), `the guest did not get to its end:\n${stdout}\n${stderr}`);
    return steps;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function parseSteps(console: string): ReadonlyMap<string, GuestStep> {
  const text = console.replaceAll('\r', '');
  const found = text.matchAll(/^@@begin (\S+)\n([\s\S]*?)^@@end (\d+)$/gm);
  return new Map(
    [...found].map(([, name = '', output = '', code]) => [
      name,
      { output: output.trim(), code: Number(code) },
    ]),
  );
}
