/** A virtual machine for tests: its image built on the spot, started as the caller, with a docker client. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineReport } from '../../../src/handshake/machine-report.ts';
import { type CommandResult, runCommand } from '../run-command.ts';
import { makeTestHome, type TestHome } from '../test-home.ts';
import { buildVmImage } from './build-vm-image.ts';

const CLI = join(import.meta.dirname, '../../../dist/cli.js');
/** Without help by the processor, beside another test. */
export const START_TIMEOUT_MS = 300_000;
const STEP_TIMEOUT_MS = 120_000;

/** Everything that runs in it goes when it is disposed of. */
export class VmUnderTest implements AsyncDisposable {
  readonly home: TestHome;
  /** Of the API, on this computer. */
  readonly socket: string;
  /** For docker clients. */
  readonly env: Readonly<Record<string, string>>;

  private constructor(home: TestHome) {
    this.home = home;
    this.socket = join(home.runtimeDir, 'wherry/docker.sock');
    this.env = { ...home.env, DOCKER_HOST: `unix://${this.socket}` };
  }

  /** Builds the image and starts the machine. */
  static async start(): Promise<VmUnderTest> {
    const vm = new VmUnderTest(await makeTestHome());
    await buildVmImage(vm.home, join(vm.home.dataDir, 'wherry/vm-image'));
    await vm.up();
    return vm;
  }

  wherry(...args: readonly string[]): Promise<CommandResult> {
    const argv = [process.execPath, CLI, ...args];
    return runCommand(argv, { env: this.home.env, timeoutMs: START_TIMEOUT_MS });
  }

  async up(): Promise<void> {
    const { code, stderr } = await this.wherry('up', '--machine=qemu');
    assert.equal(code, 0, stderr);
  }

  async status(): Promise<MachineReport> {
    return JSON.parse((await this.wherry('status', '--json')).stdout) as MachineReport;
  }

  docker(args: readonly string[], stdin?: Buffer): Promise<CommandResult> {
    const input = stdin === undefined ? {} : { stdin };
    return runCommand(['docker', ...args], { env: this.env, timeoutMs: STEP_TIMEOUT_MS, ...input });
  }

  /** Demands success; the output without space around it. */
  async ok(args: readonly string[], stdin?: Buffer): Promise<string> {
    const { code, stdout, stderr } = await this.docker(args, stdin);
    assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}\n${await this.console()}`);
    return stdout.trim();
  }

  /** What the guest has printed. */
  console(): Promise<string> {
    return readFile(join(this.home.runtimeDir, 'wherry/vm-console.log'), 'utf8').catch(() => '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.wherry('down');
    await this.home[Symbol.asyncDispose]();
  }
}
