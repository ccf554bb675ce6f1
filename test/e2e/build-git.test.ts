/** Contexts and sources of ADD that lie in git repositories, served over HTTP on the host's loopback. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient, NEWEST_BUILDX } from '../support/docker-client.ts';
import { BUSYBOX } from '../support/images.ts';
import { runCommand } from '../support/run-command.ts';

const MODIFIED = 'Wed, 21 Oct 2015 07:28:00 GMT';

describe('git repositories', requires('docker-clients'), async () => {
  const daemon = await startDaemon();
  after(() => daemon[Symbol.asyncDispose]());
  const client = new DockerClient(daemon, NEWEST_BUILDX);
  const root = daemon.home.root;
  const { commit } = await makeRepository(root);
  // The dumb protocol of git is plain files.
  const server = createServer(({ url = '' }, response) => {
    try {
      response.setHeader('last-modified', MODIFIED);
      response.end(readFileSync(join(root, 'served', new URL(url, 'http://x').pathname)));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const repository = `${origin}/app.git`;

  const build = (text: string, ...flags: readonly string[]) => {
    const dir = join(root, createHash('sha256').update(text).digest('hex').slice(0, 8));
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'Dockerfile'), `FROM ${BUSYBOX}\n${text}\n`);
    return client.run({}, 'build', '--progress=plain', ...flags, dir);
  };

  it('a branch, a tag and a directory of it are contexts', async () => {
    const contexts = { '': 'main', '#v1': 'old', '#v1:sub': 'old sub', '#:sub': 'main sub' };
    for (const [fragment, said] of Object.entries(contexts)) {
      await client.ok({}, 'build', '-q', '-t', 'app', `${repository}${fragment}`);
      assert.equal(await client.ok({}, 'run', '--rm', 'app'), said);
    }
  });

  it('a directory that is not there, or outside, is no context', async () => {
    for (const fragment of ['#:none', '#:out', '#:text', '#none']) {
      const { code, stderr } = await client.run({}, 'build', `${repository}${fragment}`);
      assert.equal(code, 1);
      assert.match(stderr, /subdir \w+ does not exist|failed to fetch remote/);
    }
  });

  it('ADD takes a repository, with its history when that is wanted, and checks the commit', async () => {
    const checks = [
      `ADD ${repository}#v1:sub /sub`,
      `ADD ${repository} /plain`,
      `ADD --keep-git-dir --checksum=${commit} ${repository} /full`,
      'RUN test "$(cat /sub/text)" = "old sub" && test ! -e /plain/.git && test -d /full/.git',
    ];
    const { code, stderr } = await build(checks.join('\n'));
    assert.equal(code, 0, stderr);
    const other = await build(`ADD --checksum=${'0'.repeat(40)} ${repository} /x`);
    assert.match(other.stderr, /expected checksum to match 0{40}, got [0-9a-f]{40}/);
  });

  it('a file keeps the time at which its server says that it was changed', async () => {
    const time = Date.parse(MODIFIED) / 1000;
    const { code, stderr } = await build(
      `ADD ${origin}/app.git/HEAD /head\nRUN test "$(stat -c %Y /head)" = ${time}`,
    );
    assert.equal(code, 0, stderr);
  });
});

/** `served/app.git` with a branch and a tag; the newest commit. */
async function makeRepository(root: string): Promise<{ readonly commit: string }> {
  const dir = join(root, 'repository');
  const git = async (...args: readonly string[]) => {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.test'];
    const argv = ['git', '-C', dir, ...who, '-c', 'init.defaultBranch=main', ...args];
    const { code, stdout, stderr } = await runCommand(argv, { env: process.env });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  const save = async (text: string) => {
    const Dockerfile = `FROM ${BUSYBOX}\nCOPY text /text\nCMD ["cat", "/text"]\n`;
    for (const [path, said] of [
      ['', text],
      ['sub', `${text} sub`],
    ] as const) {
      writeFileSync(join(dir, path, 'Dockerfile'), Dockerfile);
      writeFileSync(join(dir, path, 'text'), said);
    }
    await git('add', '-A');
    await git('commit', '-qm', text);
  };
  mkdirSync(join(dir, 'sub'), { recursive: true });
  symlinkSync('/etc', join(dir, 'out'));
  await git('init', '-q');
  await save('old');
  await git('tag', 'v1');
  await save('main');
  await git('clone', '-q', '--bare', dir, join(root, 'served/app.git'));
  await runCommand(['git', '-C', join(root, 'served/app.git'), 'update-server-info'], {
    env: process.env,
  });
  return { commit: await git('rev-parse', 'HEAD') };
}
