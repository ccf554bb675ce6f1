/** A docker client of a certain age, with its plugins, against a test's daemon. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_SUITES, clientDir } from '../../scripts/setup/docker-clients.ts';
import {
  type CommandOptions,
  type CommandResult,
  type RunningCommand,
  runCommand,
  startCommand,
} from './run-command.ts';

/** Suites whose client has buildx. */
export const BUILDX_SUITES: readonly string[] = CLIENT_SUITES.filter(({ packages }) =>
  packages.includes('docker-buildx'),
).map(({ suite }) => suite);

/** The one with the newest buildx. */
export const NEWEST_BUILDX = BUILDX_SUITES.at(-1) ?? '';

/** What a client needs of the daemon that it talks to. */
export interface ClientTarget {
  readonly home: { readonly root: string };
  readonly env: Readonly<Record<string, string>>;
  log(): string;
}

/** Runs one client. Configuration is its own, in the daemon's home. */
export class DockerClient {
  readonly #daemon: ClientTarget;
  /** Variables with which `docker` is this client. */
  readonly env: Readonly<Record<string, string>>;

  /** `suite`: one of `CLIENT_SUITES`, fetched by the machine's set-up. */
  constructor(daemon: ClientTarget, suite: string) {
    const dir = clientDir(suite);
    assert.ok(dir !== undefined, `no docker client of ${suite}: run scripts/setup.ts`);
    const config = join(daemon.home.root, `docker-${suite}`);
    mkdirSync(config, { recursive: true });
    const plugins = { cliPluginsExtraDirs: [join(dir, 'usr/libexec/docker/cli-plugins')] };
    writeFileSync(join(config, 'config.json'), JSON.stringify(plugins));
    const path = `${join(dir, 'usr/bin')}:${process.env['PATH'] ?? ''}`;
    this.#daemon = daemon;
    this.env = { ...daemon.env, PATH: path, DOCKER_CONFIG: config };
  }

  /** Runs the client to its end. */
  run(options: CommandOptions, ...args: readonly string[]): Promise<CommandResult> {
    return runCommand(['docker', ...args], this.#with(options));
  }

  /** Runs the client, demands success, and returns its trimmed output. */
  async ok(options: CommandOptions, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(options, ...args);
    const said = `docker ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`;
    assert.equal(code, 0, `${said}\n${this.#daemon.log().slice(-2000)}`);
    return stdout.trim();
  }

  /** Starts a client that runs on. */
  watch(options: CommandOptions, ...args: readonly string[]): RunningCommand {
    return startCommand(['docker', ...args], this.#with(options));
  }

  #with(options: CommandOptions): CommandOptions {
    return { ...options, env: { ...this.env, ...options.env } };
  }
}
