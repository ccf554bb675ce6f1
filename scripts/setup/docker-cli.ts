/** The stock docker client. Only the client: distributions bundle it with a daemon that must not be started. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { findTool } from './requirements.ts';

const CLIENT_PATH = '/usr/local/bin/docker';

/** True when there is a docker client on the path. */
export function hasDockerCli(): boolean {
  return findTool('docker') !== undefined;
}

/**
 * Installs the client: the package `docker-cli` where the distribution has it, else the one file out of
 * `docker.io`. Root only; package lists must be fresh.
 */
export async function installDockerCli(): Promise<void> {
  const sh = $({ quiet: true });
  const policy = await sh`apt-cache policy docker-cli`;
  if (/Candidate: [^(]/.test(policy.stdout)) {
    await sh`apt-get install -y --no-install-recommends docker-cli`;
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'docker-cli-'));
  try {
    await sh({ cwd: scratch })`apt-get download docker.io && dpkg-deb -x docker.io_*.deb .`;
    await sh`install -m 755 ${join(scratch, 'usr/bin/docker')} ${CLIENT_PATH}`;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
