import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { imageArchive } from '../../scripts/image/image-archive.ts';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { debianImage } from '../support/debian-image.ts';
import { runCommand } from '../support/run-command.ts';

const CLI = fileURLToPath(import.meta.resolve('@devcontainers/cli/devcontainer.js'));
const BASE = 'dev/base:1';
const needed = requires('mmdebstrap', 'apt-mirror', 'fuse-overlayfs');

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
const workspace = join(daemon.home.root, 'workspace');

const CONFIGURATION = {
  image: BASE,
  remoteUser: 'dev',
  // Would build an image, which waits for the builder.
  updateRemoteUserUID: false,
  containerEnv: { IN_CONTAINER: 'yes' },
  remoteEnv: { FOR_REMOTE: 'too' },
  mounts: [{ source: 'dev-cache', target: '/cache', type: 'volume' }],
  // The client takes no other value of --userns than host; the label says it as well.
  runArgs: ['--cap-add=SYS_PTRACE', '--hostname=dock', '--label=wherry.userns=keep-id:1000,1000'],
  initializeCommand: 'echo initialized >>lifecycle',
  onCreateCommand: 'echo onCreate as $(id -un) >>/tmp/lifecycle',
  updateContentCommand: ['sh', '-c', 'echo updateContent >>/tmp/lifecycle'],
  postCreateCommand: { one: 'echo postCreate >>/tmp/lifecycle' },
  postStartCommand: 'echo postStart >>/tmp/lifecycle',
};

/** Runs the devcontainer program on the workspace. */
async function devcontainer(command: string, ...args: readonly string[]): Promise<string> {
  const argv = [process.execPath, CLI, command, '--workspace-folder', workspace, ...args];
  const { code, stdout, stderr } = await runCommand(argv, { env: daemon.env, cwd: workspace });
  assert.equal(code, 0, `devcontainer ${command}: ${stdout}${stderr}`);
  return stdout.trim();
}

const inContainer = (script: string) => devcontainer('exec', 'sh', '-c', script);

const up = async () => JSON.parse(await devcontainer('up')) as Readonly<Record<string, string>>;

before(async () => {
  if (needed.skip !== false) return;
  await mkdir(join(workspace, '.devcontainer'), { recursive: true });
  const text = `// A comment, as people write them.\n${JSON.stringify(CONFIGURATION)}`;
  await writeFile(join(workspace, '.devcontainer/devcontainer.json'), text);
  const archive = await imageArchive(await debianImage('dev/debian:1'));
  await daemon.dockerWith({ stdin: archive }, 'load');
  await daemon.ok('run', '--name', 'maker', 'dev/debian:1', 'useradd', '-m', '-u', '1000', 'dev');
  await daemon.ok('commit', 'maker', BASE);
  await daemon.ok('rm', 'maker');
});

test('up brings a container from a local image for an ordinary user of it', needed, async () => {
  const { outcome, remoteUser, remoteWorkspaceFolder } = await up();
  assert.deepEqual(
    [outcome, remoteUser, remoteWorkspaceFolder],
    ['success', 'dev', '/workspaces/workspace'],
  );
});

test('commands of the life cycle ran in their order and as that user', needed, async () => {
  assert.equal(await readFile(join(workspace, 'lifecycle'), 'utf8'), 'initialized\n');
  const ran = ['onCreate as dev', 'updateContent', 'postCreate', 'postStart'];
  assert.equal(await inContainer('cat /tmp/lifecycle'), ran.join('\n'));
});

test('exec runs as the user, in the workspace, with both environments', needed, async () => {
  const script = 'echo $(id -un) $HOME $PWD $IN_CONTAINER $FOR_REMOTE $(hostname)';
  assert.equal(await inContainer(script), 'dev /home/dev /workspaces/workspace yes too dock');
  await writeFile(join(workspace, 'source.txt'), 'edited outside');
  assert.equal(await inContainer('cat source.txt'), 'edited outside');
  assert.equal(await daemon.ok('volume', 'ls', '-q'), 'dev-cache');
});

test('files that the user makes in the workspace belong to the caller', needed, async () => {
  await inContainer('touch made-inside && mkdir -p build && touch build/output');
  const { uid, gid } = userInfo();
  for (const name of ['made-inside', 'build', 'build/output']) {
    const made = await stat(join(workspace, name));
    assert.deepEqual([made.uid, made.gid], [uid, gid], name);
  }
  assert.equal(await inContainer('stat -c %U:%G made-inside'), 'dev:dev');
});

test('the configuration is read, with what the container adds to it', needed, async () => {
  const text = await devcontainer('read-configuration', '--include-merged-configuration');
  const { configuration, mergedConfiguration } = JSON.parse(text) as {
    configuration: { image: string };
    mergedConfiguration: { remoteUser: string };
  };
  assert.equal(configuration.image, BASE);
  assert.equal(mergedConfiguration.remoteUser, 'dev');
});

test('another up finds the container, also when it was stopped', needed, async () => {
  const first = await up();
  assert.equal((await up())['containerId'], first['containerId']);
  await daemon.ok('stop', '-t', '0', first['containerId'] ?? '');
  assert.equal((await up())['containerId'], first['containerId']);
  // Of the life cycle only what belongs to a start was repeated.
  assert.match(await inContainer('cat /tmp/lifecycle'), /postCreate\npostStart\npostStart$/);
});
