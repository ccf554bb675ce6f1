/** Docker's settings, seen from inside of containers that real runtimes run. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { NetworkNamespace } from '../../src/runtime/spec-builder.ts';
import type { TaskRunner } from '../../src/runtime/task-runner.ts';
import { newContainerId } from '../../src/shared/ids.ts';
import { expectSuccess, run } from '../../src/sys/exec/run.ts';
import type { ContainerConfig, HostConfig } from '../../src/wire/container-config.ts';
import { requires } from '../support/capabilities.ts';
import { makeRuntimeRig, type RuntimeRig } from '../support/runtime-rig.ts';

interface Case {
  readonly config?: ContainerConfig;
  readonly hostConfig?: HostConfig;
  readonly network?: NetworkNamespace;
}

for (const runtimeName of ['crun', 'runc'] as const) {
  describe(`settings with ${runtimeName}`, requires('conmon', 'busybox', runtimeName), () => {
    let rig: RuntimeRig;
    let runner: TaskRunner;

    before(async () => {
      rig = await makeRuntimeRig((error) => {
        throw error;
      });
      runner = rig.makeRunner();
    });
    after(async () => rig[Symbol.asyncDispose]());

    /** Exit code and everything that the script printed. */
    async function outcomeOf(script: string, { config, hostConfig = {}, network }: Case = {}) {
      const id = newContainerId();
      const { rootfsDir } = rig;
      const spec = await rig.specs.build({
        id,
        config: { Cmd: ['sh', '-c', `exec 2>&1; ${script}`], Env: ['PATH=/bin'], ...config },
        hostConfig,
        rootfsDir,
        network: network ?? { kind: 'host' },
        mounts: [],
        hostname: 'inside',
      });
      const logPath = rig.logPath(id);
      const terminal = config?.Tty === true;
      const stdio = { terminal, openStdin: false, stdinOnce: false, resources: hostConfig };
      const record = await runner.start({ id, runtimeName, rootfsDir, spec, logPath, ...stdio });
      const { exitCode } = await runner.waitExit(record);
      let output = '';
      for await (const batch of rig.logs.read({ logPath })) {
        for (const { data } of batch) output += Buffer.from(data).toString();
      }
      await runner.remove(id);
      return { exitCode, output };
    }

    async function printed(script: string, settings: Case = {}): Promise<string> {
      const { exitCode, output } = await outcomeOf(script, settings);
      assert.equal(exitCode, 0, output);
      return output.replaceAll('\r\n', '\n').trim();
    }

    it('names host, user, groups, home and working directory as asked for', async () => {
      const config = { User: 'me', WorkingDir: '/made/for/it', Env: ['PATH=/bin', 'A=b c'] };
      const text = await printed('hostname; id -u; id -g; id -G; pwd; env', { config });
      const [hostname, uid, gid, groups, pwd, ...env] = text.split('\n');
      assert.deepEqual(
        [hostname, uid, gid, groups, pwd],
        ['inside', '1000', '1000', '1000 10', '/made/for/it'],
      );
      for (const line of ['HOME=/tmp', 'A=b c', 'HOSTNAME=inside'])
        assert.ok(env.includes(line), line);
    });

    it('limits system calls and capabilities, and lifts the limits for the privileged', async () => {
      const status = 'grep -E "^(CapBnd|Seccomp|NoNewPrivs):" /proc/self/status';
      const text = await printed(`${status}; mount -t tmpfs x /tmp || echo refused`);
      assert.match(text, /CapBnd:\s+00000000a80425fb/);
      assert.match(text, /Seccomp:\s+2/);
      assert.match(text, /refused$/);
      const privileged = await printed(`${status}; mount -t tmpfs x /tmp && echo mounted`, {
        hostConfig: { Privileged: true },
      });
      assert.match(privileged, /Seccomp:\s+0/);
      assert.match(privileged, /mounted$/);
      const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] };
      const filtered = await printed(status, {
        hostConfig: { Privileged: true, SecurityOpt: [`seccomp=${JSON.stringify(profile)}`] },
      });
      assert.match(filtered, /Seccomp:\s+2/);
    });

    it('hides and protects kernel files unless told otherwise', async () => {
      const write =
        'echo x > /proc/sys/kernel/domainname || echo protected; head -c 1 /proc/timer_list | wc -c';
      assert.match(await printed(write), /protected\n0$/);
      const open = { hostConfig: { MaskedPaths: [], ReadonlyPaths: [] } };
      assert.doesNotMatch(await printed('grep -c /proc/sys /proc/mounts || true', open), /[1-9]/);
    });

    it('gives new privileges up, and takes a profile of the client', async () => {
      const seccomp = JSON.stringify({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 30 }],
      });
      const hostConfig = { SecurityOpt: ['no-new-privileges', `seccomp=${seccomp}`] };
      const script = 'grep NoNewPrivs /proc/self/status; mkdir /tmp/x || true';
      assert.match(
        await printed(script, { hostConfig }),
        /NoNewPrivs:\s+1\n.*Read-only file system/,
      );
    });

    it('keeps a read-only root file system, with room where it is needed', async () => {
      const hostConfig = { ReadonlyRootfs: true };
      const script = 'touch /x || echo refused; touch /dev/shm/x && echo taken';
      assert.match(await printed(script, { hostConfig }), /refused\ntaken$/);
    });

    it('sets limits and the size of shared memory', async () => {
      const hostConfig = {
        Ulimits: [
          { Name: 'nofile', Soft: 64, Hard: 128 },
          { Name: 'core', Soft: 0, Hard: -1 },
        ],
        ShmSize: 1 << 20,
      };
      const text = await printed('ulimit -Sn; ulimit -Hn; ulimit -Hc; grep /dev/shm /proc/mounts', {
        hostConfig,
      });
      assert.match(text, /^64\n128\n\w+\n.*size=1024k/);
    });

    it('shares namespaces with the engine when asked to', async () => {
      const shared = { PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' };
      const own = await printed('echo $$');
      assert.equal(own, '1');
      assert.notEqual(await printed('echo $$', { hostConfig: shared }), '1');
    });

    it('puts an init process in front of the command', async () => {
      const id = newContainerId();
      const spec = await rig.specs.build({
        id,
        config: { Cmd: ['true'] },
        hostConfig: {},
        rootfsDir: rig.rootfsDir,
        network: { kind: 'host' },
        mounts: [],
        hostname: '',
        initPath: '/usr/bin/tini-static',
      });
      assert.deepEqual(spec.process.args, ['/sbin/docker-init', '--', 'true']);
      assert.ok(spec.mounts.some(({ destination }) => destination === '/sbin/docker-init'));
    });

    it('reaches devices of the host by another name', async () => {
      const mapping = {
        PathOnHost: '/dev/zero',
        PathInContainer: '/dev/nought',
        CgroupPermissions: 'rwm',
      };
      const text = await printed('head -c 3 /dev/nought | wc -c', {
        hostConfig: { Devices: [mapping] },
      });
      assert.equal(text, '3');
    });

    it('has a controlling terminal of its own', async () => {
      const text = await printed('tty; stty size', { config: { Tty: true } });
      assert.match(text, /^\/dev\/pts\/0\n/);
    });

    it('may use every port and ping in a network namespace of its own', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'wherry-netns-'));
      const path = join(dir, 'netns');
      await writeFile(path, '');
      const pin = ['--net', '--', 'mount', '--bind', '/proc/self/ns/net', path];
      expectSuccess(await run({ file: 'unshare', args: pin }, { timeoutMs: 10_000 }), 'pin');
      const read =
        'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range';
      try {
        const text = await printed(read, { network: { kind: 'path', path } });
        assert.match(text, /^0\n0\s+\d+$/);
      } finally {
        await run({ file: 'umount', args: [path] }, { timeoutMs: 10_000 });
        await rm(dir, { recursive: true });
      }
    });
  });
}
