/** What every way of starting processes must do. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { SpawnProcess } from '../../src/sys/exec/spawn.ts';

const shell = (script: string) => ({ file: 'sh', args: ['-c', script] });

/** Runs the suite against the spawner that `makeSpawner` gives. */
export function testProcessSpawnerContract(name: string, makeSpawner: () => SpawnProcess): void {
  describe(`${name} as a process spawner`, () => {
    const spawn = makeSpawner();
    let dir = '';
    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'wherry-spawner-'));
    });
    after(() => rm(dir, { recursive: true }));

    it('gives the exit code', async () => {
      const child = spawn(shell('exit 7'), { stdio: [] });
      assert.deepEqual(await child.exited, { exitCode: 7, signal: null });
    });

    it('gives the signal that ended the process, and no longer signals it then', async () => {
      const child = spawn({ file: 'sleep', args: ['600'] }, { stdio: [] });
      assert.equal(child.kill('SIGTERM'), true);
      assert.deepEqual(await child.exited, { exitCode: null, signal: 'SIGTERM' });
      assert.equal(child.kill('SIGTERM'), false);
    });

    it('carries bytes through stdin, stdout and further descriptors', async () => {
      const child = spawn(shell('cat; echo oops >&2; echo extra >&3'), {
        stdio: ['pipe-in', 'pipe-out', 'pipe-out', 'pipe-out'],
      });
      child.writable(0).end('hello');
      const outputs = [1, 2, 3].map((slot) => text(child.readable(slot)));
      assert.deepEqual(await Promise.all(outputs), ['hello', 'oops\n', 'extra\n']);
    });

    it('carries more than a pipe holds, in both directions at once', async () => {
      const child = spawn({ file: 'cat', args: [] }, { stdio: ['pipe-in', 'pipe-out', 'ignore'] });
      const big = 'x'.repeat(3_000_000);
      child.writable(0).end(big);
      assert.equal((await text(child.readable(1))).length, big.length);
      await child.exited;
    });

    it('connects open descriptors of ours, which stay open here', async () => {
      const path = join(dir, 'out');
      const out = openSync(path, 'a');
      const child = spawn(shell('echo one; echo two >&2'), {
        stdio: ['ignore', { fd: out }, { fd: out }],
      });
      await child.exited;
      closeSync(out);
      assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
    });

    it('fills a slot from a descriptor whose number an earlier slot takes', async () => {
      const directory = openSync(dir, 'r');
      const last = directory + 1;
      const between = Array.from({ length: last - 2 }, () => 'ignore' as const);
      const child = spawn(shell(`readlink /proc/$$/fd/${last}`), {
        stdio: ['ignore', 'pipe-out', ...between, { fd: directory }],
      });
      const link = await text(child.readable(1));
      closeSync(directory);
      assert.equal(link, `${dir}\n`);
    });

    it('passes nothing but the slots to the process', async () => {
      const leak = openSync(dir, 'r');
      const child = spawn(shell('ls -l /proc/self/fd'), { stdio: ['ignore', 'pipe-out'] });
      const links = await text(child.readable(1));
      closeSync(leak);
      assert.equal(links.includes(dir), false);
    });

    it('starts in the working directory with a built environment and the name it was called by', async () => {
      const command = { ...shell('pwd; echo $GREETING; echo $SHLVL_OF_PARENT'), cwd: dir };
      const child = spawn(
        { ...command, env: { GREETING: 'hi' } },
        { stdio: ['ignore', 'pipe-out'] },
      );
      assert.equal(await text(child.readable(1)), `${dir}\nhi\n\n`);
    });

    it('takes programs from the PATH that the command names', async () => {
      await symlink('/bin/sh', join(dir, 'my-shell'));
      const child = spawn(
        { file: 'my-shell', args: ['-c', 'exit 5'], env: { PATH: dir } },
        { stdio: [] },
      );
      assert.equal((await child.exited).exitCode, 5);
    });

    it('resets the signals that this program ignores', async () => {
      const child = spawn(
        { file: 'grep', args: ['SigIgn', '/proc/self/status'] },
        {
          stdio: ['ignore', 'pipe-out'],
        },
      );
      assert.match(await text(child.readable(1)), /SigIgn:\s+0+\n/);
    });

    it('gives a detached process a session of its own', async () => {
      const script =
        'read pid comm state ppid pgrp session rest < /proc/self/stat; echo $pid $session';
      for (const detached of [true, false]) {
        const child = spawn(shell(script), { stdio: ['ignore', 'pipe-out'], detached });
        const [pid, session] = (await text(child.readable(1))).trim().split(' ');
        assert.equal(pid === session, detached);
      }
    });

    it('names the package when the program is not installed', () => {
      assert.throws(() => spawn({ file: 'wherry-no-such-tool', args: [] }, { stdio: [] }), {
        kind: 'unavailable',
        message: 'wherry-no-such-tool not found: install package wherry-no-such-tool',
      });
    });

    it('says which directory is missing or which file cannot be executed', async () => {
      const gone = { file: 'true', args: [], cwd: join(dir, 'gone') };
      assert.throws(() => spawn(gone, { stdio: [] }), {
        kind: 'internal',
        message: /gone: ENOENT/,
      });
      const script = join(dir, 'no-interpreter');
      await writeFile(script, '#!/no/such/interpreter\n', { mode: 0o755 });
      assert.throws(() => spawn({ file: script, args: [] }, { stdio: [] }), { kind: 'internal' });
    });

    it('leaks no descriptor, whether the process starts or not', async () => {
      const before_ = (await readdir('/proc/self/fd')).length;
      for (let round = 0; round < 10; round++) {
        const child = spawn(shell('echo x'), { stdio: ['pipe-in', 'pipe-out', 'pipe-out'] });
        const [first, second] = [text(child.readable(1)), text(child.readable(2))];
        child.writable(0).end();
        await Promise.all([first, second, child.exited]);
        assert.throws(() =>
          spawn({ file: 'true', args: [], cwd: '/no/such' }, { stdio: ['pipe-in', 'pipe-out'] }),
        );
      }
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok((await readdir('/proc/self/fd')).length <= before_ + 3);
    });

    it('survives writing to a process that has gone', async () => {
      const child = spawn({ file: 'true', args: [] }, { stdio: ['pipe-in'] });
      await child.exited;
      await new Promise((resolve) =>
        child.writable(0).once('close', resolve).write(Buffer.alloc(100_000)),
      );
      assert.equal(existsSync(`/proc/${child.pid}`), false);
    });

    it('keeps many children apart that end in any order', async () => {
      const children = Array.from({ length: 12 }, (_, index) =>
        spawn(shell(`exit ${index}`), { stdio: [] }),
      );
      const exits = await Promise.all(children.map((child) => child.exited));
      assert.deepEqual(
        exits.map(({ exitCode }) => exitCode),
        children.map((_, index) => index),
      );
    });
  });
}
