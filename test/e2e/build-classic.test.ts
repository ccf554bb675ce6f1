/** The classic door: the tables of Dockerfiles through `DOCKER_BUILDKIT=0 docker build`. */
import { after } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { runCommand } from '../support/run-command.ts';
import { testBuildCases } from './build-cases/run-cases.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

testBuildCases({
  name: 'the classic door',
  build: async (contextDir, flags) => {
    const env = { ...daemon.env, DOCKER_BUILDKIT: '0' };
    const built = await runCommand(['docker', 'build', ...flags, contextDir], { env });
    const output = `${built.stdout}\n${built.stderr}`;
    const imageId = /Successfully built ([0-9a-f]+)/.exec(built.stdout)?.[1] ?? '';
    return { code: built.code, output, imageId };
  },
  config: async (imageId) =>
    JSON.parse(await daemon.ok('image', 'inspect', '-f', '{{json .Config}}', imageId)) as Record<
      string,
      unknown
    >,
});
