import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CLIENT_SUITES } from '../../scripts/setup/docker-clients.ts';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient } from '../support/docker-client.ts';
import { BUSYBOX } from '../support/images.ts';
import { containerCases } from './docker-cli/container-commands.ts';
import { fileCases } from './docker-cli/file-commands.ts';
import { runFlagCases } from './docker-cli/run-flags.ts';
import type { Step } from './docker-cli/step.ts';
import { volumeCases } from './docker-cli/volume-commands.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

async function perform(client: DockerClient, step: Step): Promise<void> {
  const { words, stdin, prints, complains, exits = 0 } = step;
  const { code, stdout, stderr } = await client.run(stdin === undefined ? {} : { stdin }, ...words);
  const said = `docker ${words.join(' ')}: exit ${code}\n${stdout}\n${stderr}`;
  assert.equal(code, exits, said);
  if (prints !== undefined) assert.match(stdout.trim(), prints, said);
  if (complains !== undefined) assert.match(stderr.trim(), complains, said);
}

for (const { suite } of CLIENT_SUITES) {
  describe(`docker client of ${suite}`, requires('docker-clients'), () => {
    const client = new DockerClient(daemon, suite);
    const where = { image: BUSYBOX, dir: mkdtempSync(join(daemon.home.root, suite)) };
    for (const { title, steps } of [
      ...runFlagCases(where),
      ...containerCases(where),
      ...fileCases(where),
      ...volumeCases(where),
    ]) {
      test(title, async () => {
        try {
          for (const step of steps) await perform(client, step);
        } finally {
          await daemon.docker('rm', '-f', '-v', 'row', 'idle', 'early');
        }
      });
    }
  });
}
