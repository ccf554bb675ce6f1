/** A daemon with the pinging engine in a home of its own, driven as a process. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostControl } from '../../../src/bin/host-control.ts';
import type { MachineReport } from '../../../src/handshake/machine-report.ts';
import type { DownOutcome } from '../../../src/host/machine.ts';
import { eventually } from '../eventually.ts';
import { requestOverSocket } from '../http-over-socket.ts';
import { makeTestHome, type TestHome } from '../test-home.ts';

const PROGRAM = join(import.meta.dirname, 'ping-host.ts');
const NO_FLAGS = { flags: new Map<string, readonly string[]>() };

/** What ping-engine.ts answers to `/publish`. */
export interface Published {
  readonly listenerId: string;
  readonly hostPort: number;
}

/** Makes a home; nothing runs in it yet. */
export async function makePingDaemon(): Promise<PingDaemon> {
  return new PingDaemon(await makeTestHome());
}

/** Disposing ends whatever runs and removes the home. */
export class PingDaemon implements AsyncDisposable {
  readonly home: TestHome;
  readonly socketPath: string;
  readonly #logPath: string;
  #host: ChildProcess | undefined;

  constructor(home: TestHome) {
    this.home = home;
    this.socketPath = join(home.runtimeDir, 'wherry', 'docker.sock');
    this.#logPath = join(home.root, 'daemon.log');
  }

  /** Starts a host process and waits until the engine answers through it. */
  async start(...flags: readonly string[]): Promise<void> {
    const host = this.launch(...flags);
    await eventually(
      async () => {
        assert.equal(host.exitCode, null, this.log());
        return (await this.status()).state === 'running';
      },
      { withinMs: 30_000 },
    );
  }

  /** Starts a host process and does not wait. */
  launch(...flags: readonly string[]): ChildProcess {
    const log = openSync(this.#logPath, 'a');
    this.#host = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...flags], {
      env: this.home.env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return this.#host;
  }

  /** Sends a signal to the host process and waits for its end; resolves to its exit code. */
  async endHost(signal: NodeJS.Signals): Promise<number | null> {
    const host = this.#host;
    assert.ok(host !== undefined);
    const ended =
      host.exitCode === null && host.signalCode === null ? once(host, 'exit') : undefined;
    host.kill(signal);
    await ended;
    return host.exitCode;
  }

  /** The decoded answer of the engine. */
  async ask<T>(path: string): Promise<T> {
    // A connection kept from an earlier request would end with the engine that answered it.
    const headers = { connection: 'close' };
    const { status, body } = await requestOverSocket(this.socketPath, path, { headers });
    assert.equal(status, 200, body);
    return JSON.parse(body) as T;
  }

  /** What `wherry status` reports. */
  status(): Promise<MachineReport> {
    return hostControl(this.home.env).status(NO_FLAGS);
  }

  /** What `wherry down` does. */
  down(): Promise<DownOutcome> {
    return hostControl(this.home.env).down(NO_FLAGS);
  }

  /** Everything the daemon has written. */
  log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    await this.home[Symbol.asyncDispose]();
  }
}
