/**
 * WSL 2: Windows' own virtual machine. Ours is a distribution in it with a disk of its own, imported without the rights
 * of an administrator (Microsoft's "Basic commands for WSL"). The channel is the standard input and output of a program in it.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../../sys/exec/command.ts';
import { findExecutableSync } from '../../sys/exec/find-executable.ts';
import { run } from '../../sys/exec/run.ts';
import { writeFileDurably } from '../../sys/fs/durable.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { toDrvfs } from './drvfs-path.ts';
import type { VmDriver, VmParts } from './vm-driver.ts';
import { noWsl, wslFailed } from './vm-errors.ts';

export interface WslOptions {
  /** Name of the distribution; only ours has it. */
  readonly distribution: string;
  /** Directory for its disk. */
  readonly installDir: string;
  /** The root as a tar archive. */
  readonly rootArchive: string;
  /** Of the archive, in hex; rejects when there is no archive. */
  readonly rootDigest: () => Promise<string>;
  /** The installed programs of this host. */
  readonly programsDir: string;
  /** Makes a unix socket (or named pipe) of standard input and output: gets its path, then the command. */
  readonly bridge: Command;
}

/** In the distribution: prepares it, starts the engine, and speaks on the channel. */
const START = '/sbin/wsl-start';
/** Which root the distribution has. Written when it has all of it. */
const ROOT_RECORD = 'root.sha256';
const QUESTION_TIMEOUT_MS = 60_000;
/** It unpacks some hundred megabytes. */
const IMPORT_TIMEOUT_MS = 600_000;
/** Older versions ignore this and print UTF-16. */
const ENVIRONMENT = { WSL_UTF8: '1' };

/** Finds WSL and asks whether it is ready; `unavailable` with what to install when it is not. */
export async function findWsl(searchPath: string, options: WslOptions): Promise<VmDriver> {
  const program = findExecutableSync('wsl.exe', searchPath);
  if (program === undefined) throw noWsl('');
  const wsl = new Wsl(program);
  const status = await wsl.ask(['--status']);
  if (status.exitCode !== 0) throw noWsl(status.text);
  return {
    name: 'wsl',
    notes: [],
    features: {
      returnsMemory: true,
      returnsDisk: false,
      sharesFiles: true,
      isAccelerated: true,
      hasOwnDisk: true,
    },
    prepare: async () => {
      await prepare(wsl, options);
      // A distribution that is there does no harm.
      return () => undefined;
    },
    command: (parts) => wslCommand(program, options, parts),
  };
}

/** The command of a machine: the bridge, around the program that starts everything in the distribution. */
export function wslCommand(program: string, options: WslOptions, parts: VmParts): Command {
  const { bridge, distribution, programsDir } = options;
  const { user, sharedDir } = parts;
  const inside = [START, toDrvfs(programsDir), String(user.uid), String(user.gid)];
  if (sharedDir !== undefined) inside.push(toDrvfs(sharedDir));
  const wsl = [program, '--distribution', distribution, '--user', 'root', '--exec', ...inside];
  return {
    ...bridge,
    args: [...bridge.args, parts.channelSocket, ...wsl],
    env: { ...bridge.env, ...ENVIRONMENT },
  };
}

/** Imports the distribution, or brings its root up to date. What lies in `/var` of it stays. */
async function prepare(wsl: Wsl, options: WslOptions): Promise<void> {
  const { distribution, installDir, rootArchive } = options;
  const rootDigest = await options.rootDigest();
  const record = join(installDir, ROOT_RECORD);
  const { text } = await wsl.ask(['--list', '--quiet']);
  const isThere = text.split('\n').some((line) => line.trim() === distribution);
  if (isThere && (await readRecord(record)) === rootDigest) return;
  await mkdir(installDir, { recursive: true });
  if (isThere) {
    const unpack = ['/usr/bin/busybox', 'tar', '-xf', toDrvfs(rootArchive), '-C', '/'];
    const within = ['--distribution', distribution, '--user', 'root', '--exec'];
    await wsl.order('bring the distribution up to date', [...within, ...unpack]);
    // What runs of the old root ends with it.
    await wsl.order('stop the distribution', ['--terminate', distribution]);
  } else {
    const what = ['--import', distribution, installDir, rootArchive, '--version', '2'];
    await wsl.order('import the distribution', what);
  }
  await writeFileDurably(record, rootDigest);
}

async function readRecord(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** wsl.exe, whose words come in whatever encoding it likes. */
class Wsl {
  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  async ask(args: readonly string[], timeoutMs = QUESTION_TIMEOUT_MS) {
    const command = { file: this.#program, args, env: ENVIRONMENT };
    const { exitCode, stdout, stderr } = await run(command, { timeoutMs });
    return { exitCode, text: plainText(stdout + stderr) };
  }

  async order(what: string, args: readonly string[]): Promise<void> {
    const { exitCode, text } = await this.ask(args, IMPORT_TIMEOUT_MS);
    if (exitCode !== 0) throw wslFailed(what, text || `exit code ${exitCode}`);
  }
}

/** UTF-16 that was read as UTF-8: what is ASCII in it, as names of distributions are, comes with zeros between. */
export function plainText(text: string): string {
  return text
    .replaceAll(/[\0\uFEFF\uFFFD]/g, '')
    .replaceAll('\r', '')
    .trim();
}
