/**
 * Dockerfiles as projects have them, by both doors: their packages come from the mirrors that this machine is
 * configured with, their base images are made on the spot, and what they build runs.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { buildNodeImage, proxyArguments } from '../support/base-images.ts';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient, NEWEST_BUILDX } from '../support/docker-client.ts';
import { eventually } from '../support/eventually.ts';

const TIMEOUT_MS = 240_000;
const CLASSIC = { DOCKER_BUILDKIT: '0' };
const APT = `RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\
    apt-get update && apt-get install -y --no-install-recommends`;

const NODE_APP = {
  Dockerfile: `FROM node:20-bookworm-slim AS deps
WORKDIR /app
COPY package.json ./
ARG NPM_FLAGS=
RUN --mount=type=cache,target=/root/.npm npm install --omit=dev --no-audit --no-fund $NPM_FLAGS

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=deps /app/node_modules ./node_modules
COPY --chown=1000:1000 . .
USER 1000
CMD ["node", "server.js"]
`,
  '.dockerignore': 'node_modules\n',
  'package.json': JSON.stringify({ name: 'app', version: '1.0.0', dependencies: { ms: '2.1.3' } }),
  'server.js': `console.log(require('ms')('2 days'), process.getuid());`,
};

const STATIC_BINARY = {
  Dockerfile: `# syntax=docker/dockerfile:1
FROM debian:bookworm-slim AS build
${APT} gcc libc6-dev
WORKDIR /src
COPY *.c .
RUN gcc -O1 -static -s -o /out main.c

FROM build AS check
RUN /out >/said && grep -q "says 42" /said

FROM scratch
COPY --from=build /out /app
COPY --from=check /said /said
ENTRYPOINT ["/app"]
`,
  'main.c': '#include <stdio.h>\nint main(void) { puts("the binary says 42"); return 0; }\n',
};

const PYTHON_APP = {
  Dockerfile: `FROM debian:bookworm-slim
${APT} python3-minimal python3-yaml
COPY <<EOF /etc/app.yaml
name: app
ports: [80, 443]
EOF
WORKDIR /app
COPY app.py .
ENTRYPOINT ["python3", "app.py"]
CMD ["ports"]
`,
  'app.py': `import sys, yaml
print(yaml.safe_load(open("/etc/app.yaml"))[sys.argv[1]])
`,
};

const WEB_SERVER = {
  Dockerfile: `FROM debian:bookworm-slim
${APT} nginx-light
COPY <<'EOF' /etc/nginx/nginx.conf
worker_processes 1;
daemon off;
pid /tmp/nginx.pid;
events {}
http {
  access_log /dev/stdout;
  server {
    listen 8080;
    location / { root /site; }
    location /status { return 200 "up at $uri\\n"; }
  }
}
EOF
COPY site /site
RUN nginx -t
EXPOSE 8080
STOPSIGNAL SIGQUIT
CMD ["nginx"]
`,
  'site/index.html': '<p>it works</p>\n',
};

describe('applications', requires('docker-clients', 'mmdebstrap', 'apt-mirror'), async () => {
  const daemon = await startDaemon();
  after(() => daemon[Symbol.asyncDispose]());
  const client = new DockerClient(daemon, NEWEST_BUILDX);
  await buildNodeImage(client, 'node:20-bookworm-slim', join(daemon.home.root, 'node'));

  function writeContext(name: string, files: Readonly<Record<string, string>>): string {
    const dir = join(daemon.home.root, name);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(dir, file, '..'), { recursive: true });
      writeFileSync(join(dir, file), text);
    }
    return dir;
  }

  /** Builds by BuildKit's door and by the classic one, which must find the same image. Returns the first's output. */
  async function build(
    name: string,
    files: Readonly<Record<string, string>>,
    ...flags: readonly string[]
  ): Promise<string> {
    const dir = writeContext(name, files);
    const all = [...flags, ...proxyArguments(), '-t', name, dir];
    const options = { timeoutMs: TIMEOUT_MS };
    const { code, stdout, stderr } = await client.run(options, 'build', '--progress=plain', ...all);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const classic = await client.ok({ ...options, env: CLASSIC }, 'build', '-q', ...all);
    assert.equal(classic, await client.ok({}, 'inspect', '-f', '{{.Id}}', name));
    return stderr;
  }

  it('a Node application with npm, whose cache outlives a change of its packages', async () => {
    await build('node-app', NODE_APP);
    assert.equal(await client.ok({}, 'run', '--rm', 'node-app'), '172800000 1000');
    const server = `${NODE_APP['server.js']} console.log('changed');`;
    const changed = await build('node-app', { ...NODE_APP, 'server.js': server });
    assert.match(changed, /npm install[^\n]*\n#\d+ CACHED/);
    assert.equal(await client.ok({}, 'run', '--rm', 'node-app'), '172800000 1000\nchanged');
    const manifest = NODE_APP['package.json'].replace('1.0.0', '1.1.0');
    const offline = ['--build-arg', 'NPM_FLAGS=--offline'];
    await build('node-app', { ...NODE_APP, 'package.json': manifest }, ...offline);
  });

  it('a static binary of several stages, alone in its image', async () => {
    await build('binary', STATIC_BINARY);
    assert.equal(await client.ok({}, 'run', '--rm', 'binary'), 'the binary says 42');
    const size = Number(await client.ok({}, 'inspect', '-f', '{{.Size}}', 'binary'));
    assert.ok(size < 2 << 20, `${size} bytes`);
  });

  it('a Python application with packages of the distribution', async () => {
    await build('python-app', PYTHON_APP);
    assert.equal(await client.ok({}, 'run', '--rm', 'python-app'), '[80, 443]');
    assert.equal(await client.ok({}, 'run', '--rm', 'python-app', 'name'), 'app');
  });

  it('nginx with its configuration in the Dockerfile', async () => {
    await build('web', WEB_SERVER);
    const id = await client.ok({}, 'run', '-d', '-p', '127.0.0.1::8080', 'web');
    const [, port = ''] = /:(\d+)$/.exec(await client.ok({}, 'port', id, '8080')) ?? [];
    const text = async (path: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).text().catch(() => '');
    await eventually(async () => (await text('/').catch(() => '')) === '<p>it works</p>\n');
    assert.equal(await text('/status'), 'up at /status\n');
    await client.ok({}, 'stop', id);
    assert.equal(await client.ok({}, 'inspect', '-f', '{{.State.ExitCode}}', id), '0');
  });
});
