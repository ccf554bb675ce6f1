import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { pipe } from '../../src/sys/exec/pipe.ts';
import { expectSuccess, run } from '../../src/sys/exec/run.ts';
import { spawnProcess } from '../../src/sys/exec/spawn.ts';
import { supervise } from '../../src/sys/exec/supervise.ts';
import { identify } from '../../src/sys/proc/process-identity.ts';
import { readAffinity } from '../../src/sys/proc/scheduling.ts';

const shell = (script: string) => ({ file: 'sh', args: ['-c', script] });

describe('run', () => {
  it('returns output, error output and a non-zero exit as a result', async () => {
    const completed = await run(shell('echo out; echo err >&2; exit 3'), { timeoutMs: 5000 });
    assert.equal(completed.exitCode, 3);
    assert.equal(completed.stdout, 'out\n');
    assert.equal(completed.stderr, 'err\n');
    assert.equal(completed.truncated, false);
  });

  it('feeds stdin, also to a process that does not read it', async () => {
    const bytes = Buffer.alloc(1_000_000, 'x');
    const counted = await run({ file: 'wc', args: ['-c'] }, { timeoutMs: 5000, stdin: bytes });
    assert.equal(counted.stdout.trim(), '1000000');
    const deaf = await run({ file: 'true', args: [] }, { timeoutMs: 5000, stdin: bytes });
    assert.equal(deaf.exitCode, 0);
  });

  it('settles when the process has ended although a grandchild holds its output', async () => {
    const completed = await run(shell('sleep 600 & echo $!'), { timeoutMs: 5000 });
    process.kill(Number(completed.stdout));
    assert.ok(completed.durationMs < 2000);
  });

  it('keeps all output of a fast process, up to the cap', async () => {
    const completed = await run({ file: 'seq', args: ['1', '100000'] }, { timeoutMs: 5000 });
    assert.equal(completed.stdout.length, 588_895);
    const capped = await run(
      { file: 'seq', args: ['1', '100000'] },
      { timeoutMs: 5000, maxBytes: 100 },
    );
    assert.equal(capped.truncated, true);
    assert.match(capped.stdout, /^1\n2\n.*bytes left out.*100000\n$/s);
  });

  it('kills a process that takes too long, even one that ignores the polite signal', async () => {
    const stubborn = shell('trap "" TERM; echo started >&2; while :; do sleep 0.05; done');
    await assert.rejects(run(stubborn, { timeoutMs: 100 }), {
      kind: 'deadline',
      message: 'sh did not end within 100 ms',
    });
  });

  it('kills the process when the caller gives up, before or during the run', async () => {
    const command = { file: 'sleep', args: ['600'] };
    await assert.rejects(run(command, { timeoutMs: 5000, signal: AbortSignal.abort() }), {
      kind: 'cancelled',
    });
    const signal = AbortSignal.timeout(50);
    await assert.rejects(run(command, { timeoutMs: 5000, signal }), { kind: 'cancelled' });
  });

  it('explains a failure with the attempt, the exit and the error output', async () => {
    const completed = await run(shell('echo no such thing >&2; exit 4'), { timeoutMs: 5000 });
    assert.throws(() => expectSuccess(completed, 'make it'), {
      kind: 'internal',
      message: 'make it: exit code 4: no such thing',
    });
  });
});

describe('pipe', () => {
  it('streams bytes through a process', async () => {
    const { stdin, stdout, done } = pipe({ file: 'gzip', args: ['-c'] });
    stdin.end(Buffer.alloc(500_000));
    const compressed = await buffer(stdout);
    assert.equal(compressed.readUInt16BE(0), 0x1f8b);
    assert.equal((await done).exitCode, 0);
  });

  it('reports the error output of a process that fails', async () => {
    const { stdout, done } = pipe({ file: 'gzip', args: ['-d', '-c', '/no/such/file'] });
    stdout.resume();
    const completed = await done;
    assert.throws(() => expectSuccess(completed, 'unpack'), /unpack: exit code 1: gzip: /);
  });

  it('ends process and streams on abort', async () => {
    const controller = new AbortController();
    const { stdin, stdout, done } = pipe({ file: 'cat', args: [] }, { signal: controller.signal });
    stdin.write('x');
    await once(stdout, 'data');
    controller.abort();
    await assert.rejects(done, { kind: 'cancelled' });
    assert.equal(stdout.destroyed, true);
  });
});

describe('supervise', () => {
  const limits = { startTimeoutMs: 5000, stopTimeoutMs: 1000 };

  it('waits for the ready message and keeps it', async () => {
    const helper = await supervise(shell('echo \'{"a":1}\' >&3; exec sleep 600'), {
      ...limits,
      ready: { fd: 3, until: 'line' },
    });
    assert.equal(helper.readyText, '{"a":1}\n');
    await helper.stop();
    assert.equal(await identify(helper.pid), undefined);
  });

  it('fails with the error output of a helper that ends before it is ready', async () => {
    await assert.rejects(
      supervise(shell('echo cannot open tap >&2; exit 1'), { ...limits, ready: { fd: 3 } }),
      { kind: 'unavailable', message: /it ended with exit code 1: cannot open tap/ },
    );
  });

  it('gives up on a helper that never gets ready and ends it', async () => {
    const dying = supervise(shell('echo $$ >&2; exec sleep 600'), {
      ready: { fd: 3 },
      startTimeoutMs: 200,
      stopTimeoutMs: 1000,
    });
    const error: Error = await dying.then(
      () => assert.fail('it got ready'),
      (reason) => reason,
    );
    const pid = Number(/not ready within 200 ms: (\d+)/.exec(error.message)?.[1]);
    assert.equal(await identify(pid), undefined);
  });

  it('tells of an end that nobody asked for, and not of a stop', async () => {
    const ends: unknown[] = [];
    const options = { ...limits, onExit: (exit: unknown) => ends.push(exit) };
    const crashing = await supervise(shell('exit 9'), options);
    await crashing.exited;
    const stopped = await supervise({ file: 'sleep', args: ['600'] }, options);
    await stopped.stop();
    await stopped.stop();
    assert.deepEqual(ends, [{ exitCode: 9, signal: null }]);
  });

  it('lets the helper see our end on its exit descriptor', async () => {
    const script = 'trap "" TERM; echo 1 >&3; read x <&4; exit 42';
    const helper = await supervise(shell(script), { ...limits, ready: { fd: 3 }, exitFd: 4 });
    await helper.stop();
    assert.deepEqual(await helper.exited, { exitCode: 42, signal: null });
  });
});

describe('spawnProcess on some processors', () => {
  const oneCpuIsNotAll = { skip: cpus().length < 2 ? 'needs two processors' : false };

  it('holds from the first instruction, and not for this program', oneCpuIsNotAll, async () => {
    const before = readAffinity();
    const [first = 0] = before;
    const script = 'awk "/Cpus_allowed_list/ { print \\$2 }" /proc/self/status';
    const options = { stdio: ['ignore', 'pipe-out', 'ignore'] as const, cpus: [first] };
    const child = spawnProcess(shell(script), options);
    assert.equal((await text(child.readable(1))).trim(), String(first));
    assert.deepEqual(readAffinity(), before);
  });

  it('gives this program its processors back when the program is not there', () => {
    const before = readAffinity();
    const missing = { file: '/nonexistent', args: [] };
    assert.throws(() => spawnProcess(missing, { stdio: [], cpus: before.slice(0, 1) }));
    assert.deepEqual(readAffinity(), before);
  });
});
