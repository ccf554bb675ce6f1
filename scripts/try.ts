/** `npm run try`: from a fresh clone to a running container, with no registry in sight. */
import { dirname, join } from 'node:path';
import { $, chalk } from 'zx';
import type { MachineReport } from '../src/handshake/machine-report.ts';
import { build } from './build.ts';
import { EMBEDDED_IMAGE } from './embedded-image.ts';
import { findTool } from './setup/requirements.ts';
import { setUp } from './setup.ts';
import { runThroughApi } from './try/run-through-api.ts';

const PROGRAM = join(dirname(import.meta.dirname), 'dist/cli.js');
const COMMAND = ['echo', 'Hello from a rootless container'];

async function main(): Promise<void> {
  await setUp('try');
  console.log(chalk.dim('building'));
  await build();
  console.log(chalk.dim('starting the daemon'));
  await $({ stdio: 'inherit' })`${process.execPath} ${PROGRAM} up`;
  const status = await $({ quiet: true })`${process.execPath} ${PROGRAM} status --json`;
  const [host = ''] = (JSON.parse(status.stdout) as MachineReport).hosts;
  console.log(chalk.dim(`running a container from ${EMBEDDED_IMAGE}`));
  console.log(await greet(host));
  console.log(whatNext(host));
}

/** Runs one container: with the docker client when there is one, else by the API itself. */
async function greet(host: string): Promise<string> {
  if (findTool('docker') === undefined) {
    return runThroughApi(host.replace('unix://', ''), EMBEDDED_IMAGE, COMMAND);
  }
  const docker = $({ quiet: true, env: { ...process.env, DOCKER_HOST: host } });
  return (await docker`docker run --rm ${EMBEDDED_IMAGE} ${COMMAND}`).stdout.trimEnd();
}

function whatNext(host: string): string {
  return [
    '',
    'It works, and the daemon runs on. What to type next:',
    `  export DOCKER_HOST=${host}`,
    `  docker run --rm -it ${EMBEDDED_IMAGE}`,
    `  docker run --rm -p 8080:80 ${EMBEDDED_IMAGE} httpd -f -p 80`,
    'To end it:',
    `  node ${PROGRAM} down`,
  ].join('\n');
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
