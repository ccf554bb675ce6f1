/** What is left of a task when the engine or the monitor dies, and how much flows through the two. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createMonitored } from '../../src/runtime/monitor/create-monitored.ts';
import { TaskStore } from '../../src/runtime/monitor/task-store.ts';
import type { TaskRecord, TaskRequest, TaskRunner } from '../../src/runtime/task-runner.ts';
import { type ContainerId, newContainerId } from '../../src/shared/ids.ts';
import { spawnProcess } from '../../src/sys/exec/spawn.ts';
import { isAlive, readStat } from '../../src/sys/proc/process-identity.ts';
import { requires } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { makeRuntimeRig, type RuntimeRig } from '../support/runtime-rig.ts';

const SIGKILL = 9;
const STARTER = new URL('../fixtures/start-task-and-wait.ts', import.meta.url).pathname;

describe('a task after a death', requires('conmon', 'busybox', 'crun'), () => {
  let rig: RuntimeRig;
  let runner: TaskRunner;

  before(async () => {
    rig = await makeRuntimeRig((error) => {
      throw error;
    });
    runner = rig.makeRunner();
  });
  after(async () => rig[Symbol.asyncDispose]());

  async function requestFor(id: ContainerId, script: string): Promise<TaskRequest> {
    const { rootfsDir } = rig;
    const spec = await rig.specs.build({
      id,
      config: { Cmd: ['sh', '-c', script], Env: ['PATH=/bin'] },
      hostConfig: {},
      rootfsDir,
      network: { kind: 'host' },
      mounts: [],
      hostname: 'test',
    });
    const stdio = { terminal: false, openStdin: false, stdinOnce: false, resources: {} };
    return { id, runtimeName: 'crun', rootfsDir, spec, logPath: rig.logPath(id), ...stdio };
  }

  async function bytesOf(logPath: string): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const batch of rig.logs.read({ logPath })) {
      chunks.push(...batch.map(({ data }) => data));
    }
    return Buffer.concat(chunks);
  }

  async function finish(record: TaskRecord): Promise<void> {
    await runner.signal(record, SIGKILL);
    await runner.waitExit(record);
    await runner.remove(record.id);
  }

  it('goes on without the engine that started it, with complete logs and its exit code', async () => {
    const request = await requestFor(
      newContainerId(),
      'i=0; while [ $i -lt 40 ]; do echo $i; i=$((i+1)); sleep 0.05; done; exit 42',
    );
    const requestPath = `${rig.rootfsDir}-request.json`;
    await writeFile(requestPath, JSON.stringify({ root: rig.paths.root, request }));
    const engine = spawnProcess(
      { file: process.execPath, args: ['--import', 'tsx', STARTER, requestPath] },
      { stdio: ['ignore', 'pipe-out', { fd: 2 }] },
    );
    const [line] = await once(engine.readable(1), 'data');
    engine.kill('SIGKILL');
    await engine.exited;
    const record = JSON.parse(String(line));
    assert.equal((await runner.observe(request.id, record)).state, 'running');
    assert.equal((await runner.waitExit(record)).exitCode, 42);
    const expected = Array.from({ length: 40 }, (_, n) => `${n}\n`).join('');
    assert.equal((await bytesOf(request.logPath)).toString(), expected);
    await runner.remove(request.id);
  });

  it('is found by its monitor when the engine died before it wrote anything down', async () => {
    const request = await requestFor(newContainerId(), 'exit 0');
    const { id, logPath } = request;
    const runtime = await rig.runtimes.resolve('crun');
    const store = new TaskStore(rig.paths, rig.runtimes, undefined);
    const files = await store.prepare(id, request.spec);
    const place = { files, logPath, temporaryDir: rig.paths.root };
    const own = { hostNetwork: false, ownKeyring: true };
    const kind = { program: 'conmon', terminal: false, stdin: 'none', ...own } as const;
    const pids = await createMonitored({ id, runtime, ...place, ...kind }, 'sh');
    const found = await runner.observe(id, undefined);
    assert.equal(found.state, 'running');
    assert.equal(found.record.init.pid, pids.init);
    assert.equal(found.record.monitor.pid, pids.monitor);
    await finish(found.record);
    assert.deepEqual(await runner.observe(id, undefined), { state: 'absent' });
  });

  it('is lost with its monitor, and does not go on unseen', async () => {
    const record = await runner.start(await requestFor(newContainerId(), 'sleep 1000'));
    const waiting = runner.waitExit(record);
    process.kill(record.monitor.pid, 'SIGKILL');
    const exit = await waiting;
    assert.deepEqual([exit.lost, exit.exitCode], [true, 255]);
    assert.equal(await isAlive(record.init), false);
    await runner.remove(record.id);
    assert.ok(!(await runner.list()).includes(record.id));
  });

  it('stops with all its processes while it is paused', async () => {
    const record = await runner.start(
      await requestFor(newContainerId(), 'sleep 1000 & sleep 1000'),
    );
    const stateOf = async (pid: number) => (await readStat(pid))?.state;
    await runner.pause(record);
    await eventually(async () => (await stateOf(record.init.pid)) === 'T');
    await runner.resume(record);
    await eventually(async () => (await stateOf(record.init.pid)) === 'S');
    await finish(record);
  });

  it('refuses to be removed while it runs', async () => {
    const record = await runner.start(await requestFor(newContainerId(), 'sleep 1000'));
    await assert.rejects(runner.remove(record.id), /is still running/);
    await finish(record);
  });

  it('passes 100 MB from stdin to the log and keeps every byte', async () => {
    const request = await requestFor(newContainerId(), 'cat');
    const record = await runner.start({ ...request, openStdin: true, stdinOnce: true });
    const stdin = await runner.openStdin(record);
    const ended = runner.waitExit(record);
    let sent = createHash('sha256');
    let received = createHash('sha256');
    const reading = (async () => {
      for await (const batch of rig.logs.read({ logPath: request.logPath, follow: { ended } })) {
        for (const { data } of batch) received = received.update(data);
      }
    })();
    const block = randomBytes(1 << 20);
    for (let n = 0; n < 100; n++) {
      sent = sent.update(block);
      await stdin.write(block);
    }
    await stdin.end();
    assert.equal((await ended).exitCode, 0);
    await reading;
    assert.equal(received.digest('hex'), sent.digest('hex'));
    await runner.remove(record.id);
  });
});
