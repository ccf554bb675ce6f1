/** A built daemon of a test's own, driven by the stock docker client. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { MachineReport } from '../../src/handshake/machine-report.ts';
import { eventually } from './eventually.ts';
import { getOverSocket } from './http-over-socket.ts';
import {
  type CommandOptions,
  type CommandResult,
  type RunningCommand,
  runCommand,
  startCommand,
} from './run-command.ts';
import { makeTestHome, type TestHome } from './test-home.ts';

/** How a test's daemon differs from the default one. */
export interface DaemonOptions {
  /** Flags after `wherry daemon`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Shell commands that change the machine as the daemon sees it, e.g. by mounts. They and the daemon run in a
   * user and mount namespace of their own.
   */
  readonly surroundings?: string;
  /** Who the daemon is in there: root (the default), or an ordinary user, for whom set-uid helpers do nothing. */
  readonly caller?: 'root' | 'ordinary';
  /** An existing home instead of a new one; it is not removed at the end. */
  readonly home?: TestHome;
}

const PROGRAM = join(import.meta.dirname, '../../dist/cli.js');
const START_TIMEOUT_MS = 30_000;
const OWN_MOUNTS = ['--mount', '--propagation', 'private', '--'];
const AS_ROOT = ['unshare', '--user', '--map-root-user', '--map-auto', ...OWN_MOUNTS];
const WITHOUT_PRIVILEGES = 'exec setpriv --inh-caps=-all --ambient-caps=-all "$@"';

/** Starts a daemon and waits until its API answers. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  assert.ok(existsSync(PROGRAM), 'dist/cli.js is missing: run `npm run build` first');
  const daemon = new TestDaemon(options.home ?? (await makeTestHome()), options);
  try {
    await daemon.start();
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
  return daemon;
}

/** A running daemon. Disposing stops it, checks nothing, and removes its home unless that was given. */
export class TestDaemon implements AsyncDisposable {
  readonly home: TestHome;
  readonly socketPath: string;
  readonly #options: DaemonOptions;
  readonly #logPath: string;
  #process: ChildProcess | undefined;

  constructor(home: TestHome, options: DaemonOptions) {
    this.home = home;
    this.#options = options;
    this.socketPath = join(home.runtimeDir, 'wherry', 'docker.sock');
    this.#logPath = join(home.root, 'daemon.log');
  }

  /** Environment of clients and of `wherry` commands. */
  get env(): Readonly<Record<string, string>> {
    return { ...this.home.env, ...this.#options.env, DOCKER_HOST: `unix://${this.socketPath}` };
  }

  /** Starts the host process and waits for the API's first answer. */
  async start(): Promise<void> {
    const log = openSync(this.#logPath, 'a');
    const [file = '', ...args] = this.#command();
    const child = spawn(file, args, { env: this.env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = child;
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the daemon ended at once: ${this.log()}`);
    });
    // Later it may end whenever it likes.
    ended.catch(() => undefined);
    await Promise.race([eventually(() => this.answers(), { withinMs: START_TIMEOUT_MS }), ended]);
  }

  /** Runs the docker client to its end. */
  docker(...args: readonly string[]): Promise<CommandResult> {
    return this.dockerWith({}, ...args);
  }

  /** The same with input, a time limit or other variables. */
  dockerWith(options: CommandOptions, ...args: readonly string[]): Promise<CommandResult> {
    return runCommand(['docker', ...args], { ...options, env: { ...this.env, ...options.env } });
  }

  /** Runs the docker client, demands success, and returns its trimmed output. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(...args);
    assert.equal(
      code,
      0,
      `docker ${args.join(' ')}: exit ${code}\n${stdout}${stderr}${this.log()}`,
    );
    return stdout.trim();
  }

  /** Starts a docker client that runs on: `logs -f`, `events`, an attached `run`. */
  watch(options: CommandOptions, ...args: readonly string[]): RunningCommand {
    return startCommand(['docker', ...args], { ...options, env: this.env });
  }

  /** Runs a `wherry` command to its end. */
  wherry(...args: readonly string[]): Promise<CommandResult> {
    return runCommand([process.execPath, PROGRAM, ...args], { env: this.env });
  }

  /** What `wherry status --json` reports. */
  async status(): Promise<MachineReport> {
    const { stdout } = await this.wherry('status', '--json');
    return JSON.parse(stdout) as MachineReport;
  }

  /** The decoded answer of `GET path`. */
  async get(path: string): Promise<unknown> {
    return JSON.parse((await getOverSocket(this.socketPath, path)).body);
  }

  /** True when the API answers a ping. */
  answers(): Promise<boolean> {
    return getOverSocket(this.socketPath, '/_ping').then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Kills the engine as a crash would, and returns when another one answers. */
  async crashEngine(): Promise<void> {
    const before = (await this.status()).engine?.pid;
    assert.ok(before !== undefined, 'there is no engine to kill');
    process.kill(before, 'SIGKILL');
    const isBack = async () => {
      const now = (await this.status()).engine;
      return now !== undefined && now.pid !== before && now.alive && (await this.answers());
    };
    await eventually(isBack, { withinMs: START_TIMEOUT_MS }).catch((cause: unknown) => {
      throw new Error(`no engine came back: ${this.log()}`, { cause });
    });
  }

  /** Ends the daemon as SIGTERM does and waits for it. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  /** Kills only the host process; the engine and the containers stay. */
  async crashHost(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Everything the daemon has logged. */
  log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.wherry('down');
    if (this.#options.home === undefined) await this.home[Symbol.asyncDispose]();
  }

  #command(): readonly string[] {
    const { flags = [], surroundings, caller = 'root' } = this.#options;
    const daemon = [process.execPath, PROGRAM, 'daemon', ...flags];
    if (surroundings === undefined) return daemon;
    if (caller === 'root') {
      return [...AS_ROOT, 'sh', '-ec', `${surroundings}\nexec "$@"`, 'sh', ...daemon];
    }
    const script = `${surroundings}\n${WITHOUT_PRIVILEGES}`;
    return [...asOrdinaryUser(), 'sh', '-ec', script, 'sh', ...daemon];
  }
}

/** The caller's ids stay what they are; the capabilities to mount last until they are given up. */
function asOrdinaryUser(): readonly string[] {
  const { uid, gid, username } = userInfo();
  const [, first, count] =
    readFileSync('/etc/subuid', 'utf8').match(new RegExp(`^${username}:(\\d+):(\\d+)$`, 'm')) ?? [];
  assert.ok(first !== undefined, `${username} has no subordinate ids`);
  const range = `${first},${first},${count}`;
  return [
    ...['unshare', '--user', '--keep-caps', `--map-user=${uid}`, `--map-group=${gid}`],
    ...[`--map-users=${range}`, `--map-groups=${range}`, ...OWN_MOUNTS],
  ];
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
