/** The engine in a virtual machine, by the stock docker client: an image built on the spot, QEMU, an ordinary user. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { getOverSocket } from '../support/http-over-socket.ts';
import { runCommand } from '../support/run-command.ts';
import type { TestHome } from '../support/test-home.ts';
import { START_TIMEOUT_MS, VmUnderTest } from '../support/vm/vm-under-test.ts';
import { installWatchTool, watchCommand } from '../support/vm/watch-tool.ts';
import { smokeCases } from './vm-cases/smoke.ts';

const BLOB_BYTES = 2 << 20;

/** What the process watches, files and directories. */
async function inotifyWatches(pid: number): Promise<number> {
  const dir = `/proc/${pid}/fdinfo`;
  const texts = (await readdir(dir)).map((fd) => readFile(join(dir, fd), 'utf8').catch(() => ''));
  return (await Promise.all(texts)).join('').match(/^inotify wd:/gm)?.length ?? 0;
}

describe(
  'the engine in a virtual machine',
  requires('qemu', 'erofs', 'apt-mirror', 'docker-cli'),
  () => {
    let machine: VmUnderTest;
    let home: TestHome;
    let socket: string;
    const wherry = (...args: readonly string[]) => machine.wherry(...args);
    const docker = (args: readonly string[], stdin?: Buffer) => machine.docker(args, stdin);
    const ok = (args: readonly string[], stdin?: Buffer) => machine.ok(args, stdin);
    const status = () => machine.status();
    const up = () => machine.up();

    before(async () => {
      machine = await VmUnderTest.start();
      ({ home, socket } = machine);
    });

    after(() => machine[Symbol.asyncDispose]());

    it('runs containers, with their output and exit codes', async () => {
      assert.equal(await ok(['run', '--rm', 'wherry/busybox', 'echo', 'hello']), 'hello');
      assert.equal((await docker(['run', '--rm', 'wherry/busybox', 'sh', '-c', 'exit 7'])).code, 7);
      assert.match(await ok(['run', '--rm', 'wherry/busybox', 'uname', '-r']), /deb13/);
    });

    it('limits containers by control groups of its own', async () => {
      const limits = ['--memory', '64m', '--pids-limit', '50'];
      const cat = ['cat', '/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/pids.max'];
      assert.equal(await ok(['run', '--rm', ...limits, 'wherry/busybox', ...cat]), '67108864\n50');
      assert.doesNotMatch(await ok(['info']), /WARNING/);
    });

    it('passes on standard input to its end, and all that comes back', async () => {
      await ok([
        'run',
        '-d',
        '--name',
        'kept',
        '-v',
        'vol:/data',
        'wherry/busybox',
        'sleep',
        '1000',
      ]);
      const blob = randomBytes(BLOB_BYTES);
      const script = 'tee /data/blob | sha256sum; sync';
      const digest = createHash('sha256').update(blob).digest('hex');
      assert.match(await ok(['exec', '-i', 'kept', 'sh', '-c', script], blob), new RegExp(digest));
      assert.match(await ok(['exec', 'kept', 'sha256sum', '/data/blob']), new RegExp(digest));
    });

    it('shows the caller’s home at the same path, whose files stay the caller’s', async () => {
      const dir = join(home.root, 'project');
      await mkdir(dir, { mode: 0o700 });
      await writeFile(join(dir, 'given'), 'from the host');
      const script = 'cat /w/given && echo from the guest >/w/made';
      const mounted = ['run', '--rm', '-v', `${dir}:/w`, 'wherry/busybox', 'sh', '-c', script];
      assert.equal(await ok(mounted), 'from the host');
      assert.equal(await readFile(join(dir, 'made'), 'utf8'), 'from the guest\n');
      assert.equal((await stat(join(dir, 'made'))).uid, process.getuid?.());
    });

    it('refuses to mount what is not shared, and mounts the API’s socket wherever the host has it', async () => {
      for (const mount of ['/opt/x:/x', `${home.root}-other:/x`]) {
        const { code, stderr } = await docker(['run', '--rm', '-v', mount, 'wherry/busybox']);
        assert.equal(code, 125);
        assert.match(
          stderr,
          /mounts denied: the path \/\S+ is not shared with the virtual machine/,
        );
      }
      for (const path of ['/var/run/docker.sock', socket]) {
        const test = ['wherry/busybox', 'test', '-S', '/s'];
        await ok(['run', '--rm', '-v', `${path}:/s`, ...test]);
      }
    });

    it('tells programs in containers of changes that are made on the host', async () => {
      const [dir, tool] = [join(home.root, 'watched'), join(home.root, 'tool')];
      await mkdir(join(dir, 'sub/deep'), { recursive: true });
      await installWatchTool(tool);
      const mounts = ['-v', `${dir}:/w`, '-v', `${tool}:/t`];
      const command = watchCommand('/t', ['/w', '/w/sub', '/w/sub/deep']);
      await ok(['create', '--name', 'watcher', ...mounts, 'wherry/busybox', ...command]);
      const hostPid = (await status()).host?.pid ?? 0;
      await eventually(async () => (await inotifyWatches(hostPid)) >= 4);
      await ok(['start', 'watcher']);
      const sees = (event: RegExp) =>
        eventually(async () => event.test((await docker(['logs', 'watcher'])).stdout), {
          withinMs: START_TIMEOUT_MS,
        });
      await sees(/^watching$/m);
      await writeFile(join(dir, 'sub/deep/file'), 'x');
      await sees(/^\/w\/sub\/deep file 4$/m);
      await mkdir(join(dir, 'sub/new'));
      await sees(/^\/w\/sub new 40000004$/m);
      await rm(join(dir, 'sub/deep/file'));
      await sees(/^\/w\/sub deep 40000004$/m);
      await ok(['rm', '-f', 'watcher']);
      await eventually(async () => (await inotifyWatches(hostPid)) === 0);
    });

    smokeCases(() => machine);

    it('serves a hundred connections at once', async () => {
      const answers = Array.from({ length: 100 }, () => getOverSocket(socket, '/_ping'));
      const statuses = (await Promise.all(answers)).map((answer) => answer.status);
      assert.deepEqual(new Set(statuses), new Set([200]));
    });

    it('goes on when its host is killed, and the next host takes it over', async () => {
      const { host, vm } = await status();
      process.kill(host?.pid ?? 0, 'SIGKILL');
      await eventually(async () => (await status()).state === 'degraded');
      await up();
      assert.equal((await status()).vm?.pid, vm?.pid);
      assert.equal(await ok(['ps', '--format', '{{.Names}}']), 'kept');
    });

    it('starts again when it is killed, tells clients so meanwhile, and has lost nothing that was synced', async () => {
      const { vm } = await status();
      process.kill(vm?.pid ?? 0, 'SIGKILL');
      await eventually(async () => {
        return /the virtual machine is starting: \w+/.test((await docker(['ps'])).stderr);
      });
      await eventually(async () => (await docker(['ps'])).code === 0, {
        withinMs: START_TIMEOUT_MS,
        everyMs: 500,
      });
      assert.equal(await ok(['ps', '-a', '--format', '{{.Names}}']), 'kept');
      const size = [
        'run',
        '--rm',
        '-v',
        'vol:/data',
        'wherry/busybox',
        'stat',
        '-c',
        '%s',
        '/data/blob',
      ];
      assert.equal(await ok(size), String(BLOB_BYTES));
    });

    it('stops in order and leaves nothing, and never formats what it does not know', async () => {
      const { vm } = await status();
      assert.equal((await wherry('down')).code, 0);
      assert.throws(() => process.kill(vm?.pid ?? 0, 0));
      const log = await runCommand(['cat', join(home.dataDir, 'wherry/daemon.log')]);
      assert.doesNotMatch(log.stdout, /did not stop in time/);
      assert.equal((await runCommand(['ls', home.runtimeDir])).stdout, '');
      const disk = join(home.dataDir, 'wherry/vm-data.raw');
      await writeFile(disk, Buffer.alloc(1 << 20, 'something else'));
      const refused = await wherry('up', '--machine=qemu');
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /the data disk holds something else.*opening the data disk/);
      assert.match((await runCommand(['head', '-c', '14', disk])).stdout, /^something else$/);
    });
  },
);
