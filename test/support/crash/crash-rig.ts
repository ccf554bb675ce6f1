/** A daemon that is stopped at named points and loses its engine, its host or both there. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineReport } from '../../../src/handshake/machine-report.ts';
import { askStatus } from '../../../src/host/control/operator-client.ts';
import type { Failpoint } from '../../../src/shared/failpoints.ts';
import { readStat } from '../../../src/sys/proc/process-identity.ts';
import { type DaemonOptions, startDaemon, type TestDaemon } from '../daemon.ts';
import { eventually } from '../eventually.ts';
import { type Answer, requestOverSocket } from '../http-over-socket.ts';
import { inventoryOf } from './inventory.ts';

/** What is killed at a point. */
export type Victim = 'engine' | 'host' | 'both';

export const VICTIMS: readonly Victim[] = ['engine', 'host', 'both'];

const START_TIMEOUT_MS = 30_000;

/** The daemon with everything that the crash tests do to it. */
export class CrashRig implements AsyncDisposable {
  readonly daemon: TestDaemon;
  readonly #pointsDir: string;

  private constructor(daemon: TestDaemon, pointsDir: string) {
    this.daemon = daemon;
    this.#pointsDir = pointsDir;
  }

  static async start(options: DaemonOptions = {}): Promise<CrashRig> {
    const pointsDir = await mkdtemp(join(tmpdir(), 'points-'));
    const env = { ...options.env, WHERRY_FAILPOINTS: pointsDir };
    const daemon = await startDaemon({ ...options, env });
    return new CrashRig(daemon, pointsDir);
  }

  /** Sends a request with a JSON body. */
  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return requestOverSocket(this.daemon.socketPath, path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  }

  /** The same; demands one of these statuses and returns the decoded answer. */
  async must(statuses: readonly number[], request: `${string} /${string}`, body?: unknown) {
    const [method = '', path = ''] = request.split(' ');
    const answer = await this.call(method, path, body);
    const told = `${request}: ${answer.status} ${answer.body}`;
    assert.ok(statuses.includes(answer.status), told);
    return answer.body.startsWith('{') || answer.body.startsWith('[')
      ? JSON.parse(answer.body)
      : undefined;
  }

  /** The host's report; undefined while there is no host. */
  report(): Promise<MachineReport | undefined> {
    const socket = join(this.daemon.home.runtimeDir, 'wherry', 'host.sock');
    return askStatus(socket).catch(() => undefined);
  }

  /** Everything that the daemon holds now. */
  async inventory(): Promise<readonly string[]> {
    const { anchor, host } = (await this.report()) ?? {};
    assert.ok(anchor !== undefined && host !== undefined);
    return await inventoryOf(this.daemon.home, { anchor: anchor.pid, host: host.pid });
  }

  /** Runs `act` until the engine is at `point`, kills the victim there, and returns when a whole daemon runs again. */
  async crashAt(
    point: Failpoint,
    victim: Victim,
    act: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const engine = (await this.report())?.engine?.pid;
    assert.ok(engine !== undefined, 'there is an engine');
    await mkdir(join(this.#pointsDir), { recursive: true });
    await writeFile(join(this.#pointsDir, point), '');
    const outcome = act().catch(() => undefined);
    await this.#untilHeld(engine, point, outcome);
    await this.#kill(engine, victim);
    await this.#recovered(engine, victim);
    return await outcome;
  }

  /** Kills at no point in particular; `meanwhile` happens before anything is started again. */
  async crash(victim: Victim, meanwhile: () => void = () => undefined): Promise<void> {
    const engine = (await this.report())?.engine?.pid;
    assert.ok(engine !== undefined, 'there is an engine');
    await this.#kill(engine, victim);
    meanwhile();
    await this.#recovered(engine, victim);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await rm(this.#pointsDir, { recursive: true, force: true });
  }

  async #untilHeld(engine: number, point: Failpoint, outcome: Promise<unknown>): Promise<void> {
    let ended = false;
    const end = () => {
      ended = true;
    };
    outcome.then(end, end);
    await eventually(
      async () => {
        if ((await readStat(engine))?.state === 'T') return true;
        assert.ok(!ended, `the verb ended without reaching ${point}`);
        return false;
      },
      { everyMs: 5 },
    );
  }

  async #kill(engine: number, victim: Victim): Promise<void> {
    if (victim !== 'engine') await this.daemon.crashHost();
    process.kill(engine, victim === 'host' ? 'SIGCONT' : 'SIGKILL');
  }

  async #recovered(before: number, victim: Victim): Promise<void> {
    if (victim !== 'engine') await this.daemon.start();
    await eventually(
      async () => {
        const report = await this.report();
        const isOther = report?.engine?.pid !== before;
        assert.equal(report?.state, 'running');
        return isOther === (victim !== 'host') && (await this.daemon.answers());
      },
      { withinMs: START_TIMEOUT_MS },
    );
  }
}
