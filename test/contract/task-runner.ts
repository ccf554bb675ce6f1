/** What every task runner must do. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EngineError } from '../../src/shared/errors.ts';
import { eventually } from '../support/eventually.ts';
import { execOutput, execRequest, type TaskRig, TaskStarter, WITHIN } from './task-rig.ts';

const SIGKILL = 9;
const SIGTERM = 15;

const failsWith = (kind: string, message: RegExp, exitCode?: string) => (error: unknown) => {
  assert.ok(error instanceof EngineError, String(error));
  assert.equal(error.kind, kind);
  assert.match(error.message, message);
  if (exitCode !== undefined) assert.equal(error.details['exitCode'], exitCode);
  return true;
};

/** Runs the suite against the runner of `makeRig`. `options` are those of the whole suite (a skip). */
export function testTaskRunnerContract(
  name: string,
  makeRig: () => Promise<TaskRig>,
  options: { readonly skip?: string | false } = {},
): void {
  describe(`${name} as a task runner`, options, () => {
    let rig: TaskRig;
    const tasks = new TaskStarter(() => rig);

    before(async () => {
      rig = await makeRig();
    });
    after(async () => {
      await tasks.end();
      await rig.close();
    });

    describe('running', () => testRunning(() => rig, tasks));
    describe('stdin and terminal', () => testInput(() => rig, tasks));
    describe('after an engine restart', () => testAdoption(() => rig, tasks));
    describe('exec sessions', () => testExec(() => rig, tasks));
  });
}

function testRunning(rig: () => TaskRig, tasks: TaskStarter): void {
  it('reports the exit code and a time of the end after the start, to everybody who waits', async () => {
    const { record } = await tasks.start(rig().programs.exits(3));
    const [first, second] = await Promise.all([
      rig().runner.waitExit(record),
      rig().runner.waitExit(record),
    ]);
    assert.deepEqual(first, second);
    assert.equal(first.exitCode, 3);
    assert.equal(first.lost, false);
    assert.ok(first.finishedAt >= record.startedAt);
  });

  it('has all output in the log when the end is reported', async () => {
    const { request, record } = await tasks.start(rig().programs.prints('out\npart', 'err\n'));
    await rig().runner.waitExit(record);
    assert.deepEqual(await tasks.outputOf(request), { stdout: 'out\npart', stderr: 'err\n' });
  });

  it('refuses a program that is not there with exit code 127 and leaves nothing', async () => {
    const request = tasks.request(rig().programs.missing());
    await assert.rejects(
      rig().runner.start(request),
      failsWith('invalid-argument', /executable file not found in \$PATH/, '127'),
    );
    assert.ok(!(await rig().runner.list()).includes(request.id));
    assert.deepEqual(await rig().runner.observe(request.id, undefined), { state: 'absent' });
  });

  it('refuses an unknown runtime', async () => {
    const request = tasks.request(rig().programs.exits(0), { runtimeName: 'nope' });
    await assert.rejects(
      rig().runner.start(request),
      failsWith('invalid-argument', /unknown or invalid runtime name: nope/),
    );
  });

  it('delivers signals to the process, and SIGKILL always', async () => {
    const { runner, programs } = rig();
    const polite = await tasks.start(programs.exitsOnSignal(SIGTERM, 7));
    await tasks.untilPrinted(polite.request, 'ready');
    await runner.signal(polite.record, SIGTERM);
    assert.equal((await runner.waitExit(polite.record)).exitCode, 7);
    const { record } = await tasks.start(programs.sleeps());
    await runner.signal(record, SIGKILL);
    assert.equal((await runner.waitExit(record)).exitCode, 128 + SIGKILL);
  });

  it('refuses to signal a process that has ended', async () => {
    const { record } = await tasks.start(rig().programs.exits(0));
    await rig().runner.waitExit(record);
    await assert.rejects(
      rig().runner.signal(record, SIGTERM),
      failsWith('conflict', /not running/),
    );
  });

  it('forgets a removed task, twice over, and runs it again under the same id', async () => {
    const { runner, programs } = rig();
    const { request, record } = await tasks.start(programs.exits(1));
    await runner.waitExit(record);
    assert.ok((await runner.list()).includes(record.id));
    await runner.remove(record.id);
    await runner.remove(record.id);
    assert.ok(!(await runner.list()).includes(record.id));
    const again = await runner.start(request);
    assert.equal((await runner.waitExit(again)).exitCode, 1);
  });

  it('starts a task again although the files of its last run are still there', async () => {
    const { request, record } = await tasks.start(rig().programs.exits(4));
    await rig().runner.waitExit(record);
    const again = await rig().runner.start(request);
    assert.equal((await rig().runner.waitExit(again)).exitCode, 4);
  });
}

function testInput(rig: () => TaskRig, tasks: TaskStarter): void {
  it('ends stdin for the process when the one writer ends it', async () => {
    const { runner, programs } = rig();
    const options = { openStdin: true, stdinOnce: true };
    const { request, record } = await tasks.start(programs.copiesInput(), options);
    const stdin = await runner.openStdin(record);
    await stdin.write(Buffer.from('hello\n'));
    await stdin.write(Buffer.alloc(100_000, 'x'));
    await stdin.end();
    assert.equal((await runner.waitExit(record)).exitCode, 0);
    const { stdout } = await tasks.outputOf(request);
    assert.equal(stdout.length, 100_006);
    assert.ok(stdout.startsWith('hello\n'));
  });

  it('keeps stdin open for the next client after one has detached', async () => {
    const { runner, programs } = rig();
    for (const stdinOnce of [true, false]) {
      const options = { openStdin: true, stdinOnce };
      const { request, record } = await tasks.start(programs.copiesInput(), options);
      const first = await runner.openStdin(record);
      await first.write(Buffer.from('one\n'));
      await tasks.untilPrinted(request, 'one\n');
      await first.detach();
      const second = await runner.openStdin(record);
      await second.write(Buffer.from('two\n'));
      await tasks.untilPrinted(request, 'two\n');
      await second.detach();
    }
  });

  it('gives a process without stdin an empty one, and refuses writers', async () => {
    const { runner, programs } = rig();
    const { record } = await tasks.start(programs.copiesInput());
    assert.equal((await runner.waitExit(record)).exitCode, 0);
    const sleeper = await tasks.start(programs.sleeps());
    await assert.rejects(
      runner.openStdin(sleeper.record),
      failsWith('conflict', /no open standard/),
    );
  });

  it('gives a terminal its size at the start and later', async () => {
    const { runner, programs } = rig();
    const terminalSize = { rows: 30, columns: 100 };
    const options = { terminal: true, terminalSize, openStdin: true, stdinOnce: true };
    const { request, record } = await tasks.start(programs.printsSizes(), options);
    const stdin = await runner.openStdin(record);
    await stdin.write(Buffer.from('\n'));
    await tasks.untilPrinted(request, '30 100');
    await runner.resize(record, { rows: 40, columns: 120 });
    await eventually(async () => {
      await stdin.write(Buffer.from('\n'));
      const { stdout } = await tasks.outputOf(request);
      return stdout.includes('40 120');
    }, WITHIN);
  });

  it('lets a paused process go on where it was', async () => {
    const { runner, programs } = rig();
    const options = { openStdin: true, stdinOnce: true };
    const { request, record } = await tasks.start(programs.copiesInput(), options);
    await runner.pause(record);
    const stdin = await runner.openStdin(record);
    await stdin.write(Buffer.from('late\n'));
    assert.equal((await tasks.outputOf(request)).stdout, '');
    await runner.resume(record);
    await tasks.untilPrinted(request, 'late');
  });
}

function testAdoption(rig: () => TaskRig, tasks: TaskStarter): void {
  it('finds a running task with and without its record, and its end', async () => {
    const { programs } = rig();
    const { record } = await tasks.start(programs.sleeps());
    const next = rig().reopen();
    const running = { state: 'running', record };
    assert.deepEqual(await next.observe(record.id, record), running);
    assert.deepEqual(await next.observe(record.id, undefined), running);
    assert.ok((await next.list()).includes(record.id));
    const waiting = next.waitExit(record);
    await next.signal(record, SIGKILL);
    const exit = await waiting;
    assert.deepEqual(await next.observe(record.id, record), { state: 'exited', exit });
  });

  it('finds the end of a task that ended in the meantime', async () => {
    const { record } = await tasks.start(rig().programs.exits(9));
    const exit = await rig().runner.waitExit(record);
    const next = rig().reopen();
    assert.deepEqual(await next.observe(record.id, record), { state: 'exited', exit });
    assert.deepEqual(await next.waitExit(record), exit);
  });

  it('writes to the stdin of a task from before', async () => {
    const options = { openStdin: true, stdinOnce: true };
    const { request, record } = await tasks.start(rig().programs.copiesInput(), options);
    const stdin = await rig().reopen().openStdin(record);
    await stdin.write(Buffer.from('again\n'));
    await stdin.end();
    await rig().runner.waitExit(record);
    assert.equal((await tasks.outputOf(request)).stdout, 'again\n');
  });
}

function testExec(rig: () => TaskRig, tasks: TaskStarter): void {
  it('gives output of both streams and the exit code', async () => {
    const { runner, programs } = rig();
    const { request } = await tasks.start(programs.sleeps());
    const printing = await runner.exec(execRequest(request, programs.prints('o', 'e')));
    assert.ok(printing.pid > 0);
    assert.equal(printing.stdin, undefined);
    assert.deepEqual(await execOutput(printing), { stdout: 'o', stderr: 'e' });
    assert.equal(await printing.exit, 0);
    const failing = await runner.exec(execRequest(request, programs.exits(5)));
    assert.equal(await failing.exit, 5);
  });

  it('kills a session and leaves an ended one alone', async () => {
    const { runner, programs } = rig();
    const { request } = await tasks.start(programs.sleeps());
    const handle = await runner.exec(execRequest(request, programs.sleeps()));
    await handle.kill();
    assert.equal(await handle.exit, 137);
    await handle.kill();
  });

  it('passes input on and its end', async () => {
    const { runner, programs } = rig();
    const { request } = await tasks.start(programs.sleeps());
    const copies = execRequest(request, programs.copiesInput(), { attachStdin: true });
    const handle = await runner.exec(copies);
    const output = execOutput(handle);
    await handle.stdin?.write(Buffer.from('in and out'));
    await handle.stdin?.end();
    assert.equal((await output).stdout, 'in and out');
    assert.equal(await handle.exit, 0);
  });

  it('gives a session a terminal of its own', async () => {
    const { runner, programs } = rig();
    const { request } = await tasks.start(programs.sleeps());
    const terminalSize = { rows: 11, columns: 22 };
    const options = { terminal: true, terminalSize, attachStdin: true };
    const handle = await runner.exec(execRequest(request, programs.printsSizes(), options));
    let seen = '';
    await handle.stdin?.write(Buffer.from('\n'));
    for await (const { data } of handle.output) {
      seen += Buffer.from(data).toString();
      if (seen.includes('33 44')) await handle.stdin?.end();
      else if (seen.includes('11 22')) {
        await handle.resize({ rows: 33, columns: 44 });
        await handle.stdin?.write(Buffer.from('\n'));
      }
    }
    assert.match(seen, /11 22[\s\S]*33 44/);
    assert.equal(await handle.exit, 0);
  });

  it('has the last words of a session with a terminal', async () => {
    const { runner, programs } = rig();
    const { request } = await tasks.start(programs.sleeps());
    for (let n = 0; n < 10; n++) {
      const words = programs.prints(`last words ${n}`, '');
      const handle = await runner.exec(execRequest(request, words, { terminal: true }));
      assert.equal((await execOutput(handle)).stdout, `last words ${n}`);
    }
  });

  it('runs detached sessions without output', async () => {
    const { runner, programs } = rig();
    const { request } = await tasks.start(programs.sleeps());
    const handle = await runner.exec(execRequest(request, programs.exits(6), { detached: true }));
    assert.deepEqual(await execOutput(handle), { stdout: '', stderr: '' });
    assert.equal(await handle.exit, 6);
  });

  it('refuses a program that is not there with exit code 127', async () => {
    const { runner, programs } = rig();
    const { request } = await tasks.start(programs.sleeps());
    for (const terminal of [false, true]) {
      await assert.rejects(
        runner.exec(execRequest(request, programs.missing(), { terminal })),
        failsWith('invalid-argument', /OCI runtime exec failed: .*not found in \$PATH/, '127'),
      );
    }
  });

  it('refuses to run in a task that was removed', async () => {
    const { runner, programs } = rig();
    const { request, record } = await tasks.start(programs.exits(0));
    await runner.waitExit(record);
    await runner.remove(record.id);
    await assert.rejects(
      runner.exec(execRequest(request, programs.exits(0))),
      failsWith('conflict', /not running/),
    );
  });
}
