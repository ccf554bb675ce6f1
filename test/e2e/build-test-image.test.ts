/** `Dockerfile.test`, the environment of these tests as an image: built by wherry, and used in a container. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildNodeImage, proxyArguments } from '../support/base-images.ts';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient } from '../support/docker-client.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT = { timeoutMs: 6 * 60_000 };

const needed = requires('docker-clients', 'mmdebstrap', 'apt-mirror');
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

test('Dockerfile.test builds, and the unit tests pass inside of the image', needed, async () => {
  const client = new DockerClient(daemon, 'trixie');
  await buildNodeImage(client, 'node:20-bookworm-slim', join(daemon.home.root, 'node'));
  const file = ['-f', join(ROOT, 'Dockerfile.test')];
  const flags = ['-q', '-t', 'wherry-tests', ...proxyArguments()];
  await client.ok(TIMEOUT, 'build', ...file, ...flags, ROOT);

  const { code, stdout, stderr } = await client.run(
    TIMEOUT,
    ...['run', '--rm', 'wherry-tests', 'npx', 'tsx', 'scripts/test.ts', 'unit'],
  );
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /^[1-9]\d{2,} passed, 0 failed$/m);
});
