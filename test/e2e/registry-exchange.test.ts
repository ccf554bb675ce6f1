/** Images travel between us, the docker client and skopeo, by a registry with TLS and passwords and by the store. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { TestAuthority } from '../support/certificates.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';
import { REGISTRY_USER, TestRegistry } from '../support/registry.ts';
import { runCommand } from '../support/run-command.ts';
import { makeTestHome } from '../support/test-home.ts';

const authority = await TestAuthority.create();
after(() => authority[Symbol.asyncDispose]());
const registry = await TestRegistry.start({
  certificate: await authority.issue('server', ['127.0.0.1']),
  user: REGISTRY_USER.line,
});
after(() => registry[Symbol.asyncDispose]());
const home = await makeTestHome();
after(() => home[Symbol.asyncDispose]());
/** Programs of the user's own, such as credential helpers. */
const programs = join(home.root, 'bin');
const daemon = await startDaemon({ home, env: { PATH: `${programs}:${process.env['PATH']}` } });
after(() => daemon[Symbol.asyncDispose]());

const user = `${REGISTRY_USER.name}:${REGISTRY_USER.password}`;
const image = `${registry.host}/fleet/boat:1`;

/** Runs skopeo and demands success. */
async function skopeo(...args: readonly string[]): Promise<string> {
  const command = ['skopeo', '--insecure-policy', '--tmpdir', daemon.home.root, ...args];
  const { code, stdout, stderr } = await runCommand(command, { env: daemon.env });
  assert.equal(code, 0, `skopeo ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

test('a push without a password is refused, and works after docker login', async () => {
  await daemon.ok('tag', BUSYBOX, image);
  const refused = await daemon.docker('push', image);
  assert.equal(refused.code, 1);
  assert.match(refused.stdout + refused.stderr, /no basic auth credentials/);
  const wrong = await login('wrong');
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /unauthorized/);
  const { code, stdout } = await login(REGISTRY_USER.password);
  assert.equal(code, 0);
  assert.match(stdout, /Login Succeeded/);
  assert.match(await daemon.ok('push', image), /1: digest: sha256:/);
});

test('a client that sends no credentials gets in with those of the user, from the file or a helper', async () => {
  const [address = '', ...path] = image.split('/');
  const pull = async () => {
    const from = `fromImage=${encodeURIComponent([address, ...path].join('/'))}`;
    const asked = { method: 'POST' };
    return (await requestOverSocket(daemon.socketPath, `/images/create?${from}`, asked)).body;
  };
  assert.match(await pull(), /Image is up to date/);
  const config = join(home.root, '.docker/config.json');
  const byLogin = await readFile(config, 'utf8');
  await writeFile(config, JSON.stringify({ credHelpers: { [address]: 'hold' } }));
  try {
    const refused = /no basic auth credentials \(docker-credential-hold .*not found/;
    await eventually(async () => refused.test(await pull()), { withinMs: 60_000 });
    await mkdir(programs);
    const { name, password } = REGISTRY_USER;
    const answer = JSON.stringify({ Username: name, Secret: password });
    const helper = join(programs, 'docker-credential-hold');
    await writeFile(helper, `#!/bin/sh\ncat >/dev/null; echo '${answer}'\n`);
    await chmod(helper, 0o755);
    assert.match(await pull(), /Image is up to date/);
    assert.doesNotMatch(daemon.log(), new RegExp(password));
  } finally {
    await writeFile(config, byLogin);
  }
});

test(
  'skopeo copies what we pushed, and we pull its copy with the same digest',
  requires('skopeo'),
  async () => {
    const digest = await digestOf(image);
    const copy = `${registry.host}/fleet/copy:1`;
    const access = ['--src-creds', user, '--dest-creds', user];
    const unchecked = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    await skopeo('copy', ...access, ...unchecked, `docker://${image}`, `docker://${copy}`);
    assert.match(await daemon.ok('pull', copy), new RegExp(`Digest: ${digest}`));
    assert.equal(await daemon.ok('run', '--rm', copy, 'echo', 'afloat'), 'afloat');
  },
);

test('skopeo reads the store on disk as an OCI layout', requires('skopeo'), async () => {
  const store = join(daemon.home.dataDir, 'wherry', 'content');
  const raw = await skopeo('inspect', '--raw', `oci:${store}:${image}`);
  assert.equal(JSON.parse(raw).schemaVersion, 2);
  const target = `oci-archive:${join(daemon.home.root, 'boat.tar')}:boat:2`;
  await skopeo('copy', `oci:${store}:${image}`, target);
  await daemon.ok('load', '-i', join(daemon.home.root, 'boat.tar'));
});

test(
  'an image that skopeo pushed from an archive is pulled and runs',
  requires('skopeo'),
  async () => {
    const reference = `${registry.host}/fleet/archived:1`;
    const source = `oci-archive:${join(daemon.home.root, 'boat.tar')}:boat:2`;
    await skopeo(
      'copy',
      '--dest-creds',
      user,
      '--dest-tls-verify=false',
      source,
      `docker://${reference}`,
    );
    await daemon.ok('pull', reference);
    assert.equal(await daemon.ok('run', '--rm', reference, 'echo', 'ahoy'), 'ahoy');
  },
);

test(
  'bytes stay the same from pull to push, in the store, and in what docker saved for skopeo',
  requires('skopeo'),
  async () => {
    const digest = await digestOf(image);
    const [again, saved] = [`${registry.host}/fleet/again:1`, `${registry.host}/fleet/saved:1`];
    await daemon.ok('rmi', image);
    await daemon.ok('pull', image);
    await daemon.ok('tag', image, again);
    assert.match(await daemon.ok('push', again), new RegExp(`1: digest: ${digest} size: `));
    const access = ['--creds', user, '--tls-verify=false'];
    const format = ['--format', '{{.Digest}}'];
    assert.equal(await skopeo('inspect', ...access, ...format, `docker://${again}`), digest);
    const store = join(daemon.home.dataDir, 'wherry', 'content');
    assert.equal(await skopeo('inspect', ...format, `oci:${store}:${again}`), digest);

    const tar = join(daemon.home.root, 'saved.tar');
    await daemon.ok('save', '-o', tar, again);
    const target = ['--dest-creds', user, '--dest-tls-verify=false', `docker://${saved}`];
    await skopeo('copy', '--preserve-digests', `oci-archive:${tar}:1`, ...target);
    await skopeo(
      'copy',
      `docker-archive:${tar}:${again}`,
      `oci:${join(daemon.home.root, 'layout')}`,
    );
    assert.match(await daemon.ok('pull', saved), new RegExp(`Digest: ${digest}`));
    assert.equal(await daemon.ok('run', '--rm', saved, 'echo', 'moored'), 'moored');
  },
);

test('offline, the store answers, and what is missing is named with the cure', async () => {
  await using offline = await startDaemon({ flags: ['--offline'] });
  assert.match(await offline.ok('pull', BUSYBOX), /Image is up to date for wherry\/busybox:latest/);
  assert.equal(
    await offline.ok('run', '--rm', '--pull', 'always', BUSYBOX, 'echo', 'here'),
    'here',
  );
  const { code, stderr } = await offline.docker('run', '--rm', image, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /offline: image .*fleet\/boat:1 is not in the store.*docker load/);
  const pushed = await offline.docker('push', BUSYBOX);
  assert.match(pushed.stderr, /offline: wherry\/busybox:latest cannot be pushed/);
});

function login(password: string) {
  const account = ['-u', REGISTRY_USER.name, '--password-stdin', registry.host];
  return daemon.dockerWith({ stdin: password }, 'login', ...account);
}

async function digestOf(reference: string): Promise<string> {
  const [digest] = JSON.parse(
    await daemon.ok('image', 'inspect', '-f', '{{json .RepoDigests}}', reference),
  ) as readonly string[];
  return digest?.split('@')[1] ?? '';
}
