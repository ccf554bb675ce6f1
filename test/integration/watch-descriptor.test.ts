import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pipe } from '../../src/sys/libc.ts';
import { watchDescriptor } from '../../src/sys/watch-descriptor.ts';

const ONE = Buffer.alloc(1);
const MODULE = join(import.meta.dirname, '../../src/sys/watch-descriptor.ts');

/** Resolves with what the watch was told first. */
const ready = (fd: number, interest: 'readable' | 'writable') =>
  new Promise<string>((resolve) => {
    const watch = watchDescriptor(fd, interest, () => {
      watch.stop();
      resolve(interest);
    });
  });

test('a thousand watched pipes each tell of their own bytes', async () => {
  const pipes = Array.from({ length: 1_000 }, pipe);
  const told = pipes.map(async ({ read }) => {
    await ready(read, 'readable');
    readSync(read, ONE);
    return ONE[0];
  });
  for (const [at, { write }] of pipes.entries()) writeSync(write, Buffer.from([at % 256]));
  assert.deepEqual(
    await Promise.all(told),
    pipes.map((_, at) => at % 256),
  );
  for (const { read, write } of pipes) for (const fd of [read, write]) closeSync(fd);
});

test('a watch that another one ends in the same turn is not called', async () => {
  const pipes = [pipe(), pipe()];
  for (const { write } of pipes) writeSync(write, ONE);
  const called: number[] = [];
  await new Promise<void>((resolve) => {
    const watches = pipes.map(({ read }, at) =>
      watchDescriptor(read, 'readable', () => {
        called.push(at);
        for (const watch of watches) watch.stop();
        // Both were ready: what the kernel still has for the other one comes within a turn.
        setImmediate(() => setImmediate(resolve));
      }),
    );
  });
  assert.equal(called.length, 1);
  for (const { read, write } of pipes) for (const fd of [read, write]) closeSync(fd);
});

test('ending the watch of a closed descriptor spares the one that has its number now', async () => {
  const first = pipe();
  const stale = watchDescriptor(first.read, 'readable', () => assert.fail('it is closed'));
  for (const fd of [first.read, first.write]) closeSync(fd);
  const second = pipe();
  assert.equal(second.read, first.read, 'the number is used again');
  const told = ready(second.read, 'readable');
  stale.stop();
  writeSync(second.write, ONE);
  assert.equal(await told, 'readable');
  for (const fd of [second.read, second.write]) closeSync(fd);
});

test('a program ends when all its watches are unreferenced, and not before', () => {
  const run = (source: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      encoding: 'utf8',
    });
  const imports = `import { watchDescriptor } from ${JSON.stringify(MODULE)}; import { pipe } from ${JSON.stringify(join(MODULE, '../libc.ts'))}; import { writeSync } from 'node:fs';`;
  const idle = `${imports} const { read } = pipe(); watchDescriptor(read, 'readable', () => {}).unref(); console.log('end');`;
  assert.equal(run(idle).stdout, 'end\n');
  const busy = `${imports} const { read, write } = pipe(); const watch = watchDescriptor(read, 'readable', () => { watch.stop(); console.log('told'); }); const timer = setTimeout(() => writeSync(write, 'x'), 50); timer.unref();`;
  assert.equal(run(busy).stdout, 'told\n');
});
