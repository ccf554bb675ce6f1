import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { damaged, randomOf } from '../../../test/support/mutations.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { moduleElf } from '../../../test/support/vm/elf-of.ts';
import { kindOf } from '../../shared/errors.ts';
import { moduleInfo } from '../kernel/module-info.ts';
import { elfNeeds, elfSection, withoutSymbols } from './elf-file.ts';

const PROGRAM = '/bin/cat';

test('a program names its loader and its libraries', async () => {
  const { interpreter, libraries } = elfNeeds(await readFile(PROGRAM), PROGRAM);
  assert.match(interpreter ?? '', /^\/lib.*\/ld-linux/);
  assert.ok(libraries.includes('libc.so.6'));
});

test('a program runs without its symbols', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'elf-'));
  try {
    const path = join(dir, 'cat');
    const whole = await readFile(PROGRAM);
    const bytes = withoutSymbols(whole, PROGRAM);
    assert.ok(bytes.length < whole.length);
    await writeFile(path, bytes, { mode: 0o755 });
    assert.equal((await runCommand([path], { stdin: 'still here' })).stdout, 'still here');
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a module tells what it depends on and what it serves', () => {
  const pairs = ['depends=a,b-c', 'softdep=pre: d e post: f', 'alias=fs-x', 'alias=y', 'license=z'];
  assert.deepEqual(moduleInfo(moduleElf(pairs), 'x.ko'), {
    depends: ['a', 'b_c'],
    softDepends: ['d', 'e'],
    aliases: ['fs-x', 'y'],
  });
  assert.equal(elfSection(moduleElf([]), '.other', 'x.ko'), undefined);
});

test('damaged files are refused or read, and nothing else', async () => {
  const program = (await readFile(PROGRAM)).subarray(0, 8192);
  for (let seed = 0; seed < 300; seed++) {
    const bytes = damaged(seed & 1 ? program : moduleElf(['alias=x']), randomOf(seed));
    for (const read of [elfNeeds, moduleInfo, withoutSymbols]) {
      try {
        read(bytes, 'x');
      } catch (error) {
        assert.equal(kindOf(error), 'corrupt', `seed ${seed}: ${error}`);
      }
    }
  }
});
