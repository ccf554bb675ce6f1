/** BuildKit's door: the tables of Dockerfiles through buildx, and the same images as by the classic door. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient, NEWEST_BUILDX } from '../support/docker-client.ts';
import { runCommand } from '../support/run-command.ts';
import { testBuildCases } from './build-cases/run-cases.ts';

describe('with the newest buildx', requires('docker-clients'), async () => {
  const daemon = await startDaemon();
  after(() => daemon[Symbol.asyncDispose]());
  const client = new DockerClient(daemon, NEWEST_BUILDX);

  /** The image that the classic door makes of the same. */
  async function classicId(contextDir: string, flags: readonly string[]): Promise<string> {
    const env = { ...daemon.env, DOCKER_BUILDKIT: '0' };
    const argv = ['docker', 'build', '-q', ...flags, contextDir];
    return (await runCommand(argv, { env })).stdout.trim();
  }

  testBuildCases({
    name: "BuildKit's door",
    build: async (contextDir, flags) => {
      const dir = mkdtempSync(join(tmpdir(), 'build-id-'));
      const idFile = join(dir, 'id');
      try {
        const args = ['build', '--progress=plain', '--iidfile', idFile, ...flags, contextDir];
        const { code, stdout, stderr } = await client.run({}, ...args);
        const output = `${stdout}\n${stderr}`;
        if (code !== 0) return { code, output, imageId: '' };
        const imageId = readFileSync(idFile, 'utf8');
        assert.equal(imageId, await classicId(contextDir, flags), output);
        return { code, output, imageId };
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
    config: async (imageId) =>
      JSON.parse(await daemon.ok('image', 'inspect', '-f', '{{json .Config}}', imageId)) as Record<
        string,
        unknown
      >,
  });
});
