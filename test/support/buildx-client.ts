/** Docker's clients of several ages with buildx, against an API on a socket of the test's own. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CLIENT_SUITES, clientDir } from '../../scripts/setup/docker-clients.ts';

export interface BuildxRun {
  readonly status: number | null;
  /** Both streams, as they came. */
  readonly output: string;
  readonly stdout: string;
}

export interface BuildxClient {
  readonly suite: string;
  /** `docker` with arguments; the input is closed unless it is given. */
  docker(
    args: readonly string[],
    options?: { readonly input?: string | Buffer },
  ): Promise<BuildxRun>;
  /** The same, left running: `kill` ends it hard. */
  start(args: readonly string[]): { kill(): void; readonly ended: Promise<BuildxRun> };
}

/** The suites whose client has buildx. */
export const BUILDX_SUITES = CLIENT_SUITES.filter(({ packages }) =>
  packages.includes('docker-buildx'),
).map(({ suite }) => suite);

/** A client with a configuration of its own below `home`. */
export function buildxClient(
  suite: string,
  at: { readonly socketPath: string; readonly home: string },
): BuildxClient {
  const dir = clientDir(suite);
  if (dir === undefined) throw new Error(`no docker client of ${suite}: run scripts/setup.ts`);
  const config = join(at.home, `config-${suite}`);
  mkdirSync(config, { recursive: true });
  const plugins = join(dir, 'usr/libexec/docker/cli-plugins');
  writeFileSync(
    join(config, 'config.json'),
    JSON.stringify({ cliPluginsExtraDirs: [plugins], auths: {} }),
  );
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: at.home,
    DOCKER_HOST: `unix://${at.socketPath}`,
    DOCKER_CONFIG: config,
    BUILDX_CONFIG: join(config, 'buildx'),
  };
  const start = (args: readonly string[], input?: string | Buffer) => {
    const child = spawn(join(dir, 'usr/bin/docker'), args, { env: environment, cwd: at.home });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const ended = new Promise<BuildxRun>((resolve, reject) => {
      let output = '';
      let stdout = '';
      child.stdout.on('data', (data: Buffer) => {
        output += data;
        stdout += data;
      });
      child.stderr.on('data', (data: Buffer) => {
        output += data;
      });
      child.on('error', reject);
      child.on('close', (status) => resolve({ status, output, stdout }));
    });
    return { kill: () => void child.kill('SIGKILL'), ended };
  };
  return {
    suite,
    docker: (args, options = {}) => start(args, options.input).ended,
    start: (args) => start(args),
  };
}

/** Writes files below `dir`, by path; directories are made. */
export function writeTree(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}
