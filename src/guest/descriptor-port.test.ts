import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { pipe } from '../sys/libc.ts';
import { DescriptorPort } from './descriptor-port.ts';

test('bytes go both ways over a pair of pipes, to the end', async () => {
  const [there, back] = [pipe(), pipe()];
  const a = new DescriptorPort({ readFd: back.read, writeFd: there.write, atNothing: 'end' });
  const b = new DescriptorPort({ readFd: there.read, writeFd: back.write, atNothing: 'end' });
  const blob = 'x'.repeat(300_000);
  b.write('answer');
  a.end(blob, () => closeSync(there.write));
  assert.equal((await text(b)).length, blob.length);
  closeSync(back.write);
  assert.equal(await text(a), 'answer');
  closeSync(there.read);
  closeSync(back.read);
});
