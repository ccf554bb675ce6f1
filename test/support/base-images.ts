/**
 * Base images for Dockerfiles that install packages, made on the spot: no public registry of images is asked.
 * Everything that is particular to this machine (mirrors, proxies, trusted certificates) comes from its own
 * configuration.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianImage } from './debian-image.ts';
import type { DockerClient } from './docker-client.ts';
import { runCommand } from './run-command.ts';

const DEBIAN = 'debian:bookworm-slim';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Debian with Node and npm in the way of the well-known image, which Dockerfiles can name in its place. */
const NODE_DOCKERFILE = `FROM ${DEBIAN}
ARG REGISTRY
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
COPY certificates /usr/local/share/machine-certificates/
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && \\
    ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
ENV NODE_EXTRA_CA_CERTS=/usr/local/share/machine-certificates/all.crt npm_config_registry=$REGISTRY
CMD ["node"]
`;

/** Flags that give RUN the way out that this machine's own programs have. */
export function proxyArguments(): readonly string[] {
  return ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) =>
    process.env[name] === undefined ? [] : ['--build-arg', `${name}=${process.env[name]}`],
  );
}

/** Makes `debian:bookworm-slim` known to the engine: this machine's release of Debian, with apt ready to install. */
export async function importDebian(client: DockerClient): Promise<string> {
  const { layers, config } = await debianImage(DEBIAN);
  const settings = (config['Env'] as readonly string[]).map((pair) => `ENV ${pair}`);
  const flags = [...settings, 'CMD ["bash"]'].flatMap((line) => ['-c', line]);
  await client.ok({ stdin: layers[0]?.tar ?? '' }, 'import', ...flags, '-', DEBIAN);
  return DEBIAN;
}

/** Builds `reference` out of Debian and the Node that runs this test. `scratchDir`: made, for the context. */
export async function buildNodeImage(
  client: DockerClient,
  reference: string,
  scratchDir: string,
): Promise<void> {
  await importDebian(client);
  mkdirSync(join(scratchDir, 'certificates'), { recursive: true });
  const npm = realpathSync(join(dirname(process.execPath), 'npm'));
  cpSync(process.execPath, join(scratchDir, 'node'));
  cpSync(dirname(dirname(npm)), join(scratchDir, 'npm'), { recursive: true });
  const trusted = join(scratchDir, 'certificates/all.crt');
  if (existsSync(CERTIFICATES)) cpSync(CERTIFICATES, trusted);
  else writeFileSync(trusted, '');
  writeFileSync(join(scratchDir, 'Dockerfile'), NODE_DOCKERFILE);
  const registry = await npmRegistry();
  const flags = ['--build-arg', `REGISTRY=${registry}`, '-t', reference];
  await client.ok({}, 'build', '-q', ...flags, scratchDir);
}

/** The registry of packages that this machine is configured for. */
async function npmRegistry(): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['npm', 'config', 'get', 'registry'], {
    env: process.env,
  });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}
