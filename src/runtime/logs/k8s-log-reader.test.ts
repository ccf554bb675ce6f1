import assert from 'node:assert/strict';
import { appendFile, link, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { LogReadOptions } from '../log-reader.ts';
import { K8sLogReader } from './k8s-log-reader.ts';

let dir: string;
let count = 0;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wherry-logs-'));
});
after(() => rm(dir, { recursive: true, force: true }));

/** Second n of the epoch. */
const at = (second: number) => new Date(second * 1000).toISOString().replace('Z', '000000+00:00');
const line = (second: number, text: string, tag = 'F') => `${at(second)} stdout ${tag} ${text}\n`;

async function logOf(...lines: readonly string[]): Promise<string> {
  count += 1;
  const path = join(dir, `${count}.log`);
  await writeFile(path, lines.join(''));
  return path;
}

async function textOf(options: LogReadOptions): Promise<string> {
  let text = '';
  for await (const batch of new K8sLogReader().read(options)) {
    for (const { data } of batch) text += Buffer.from(data).toString();
  }
  return text;
}

test('a missing log reads as empty and ends where it begins', async () => {
  const logPath = join(dir, 'nowhere.log');
  assert.equal(await textOf({ logPath }), '');
  assert.deepEqual(await new K8sLogReader().end(logPath), { segment: 1, offset: 0 });
});

test('reading from a position leaves out what was there before', async () => {
  const logPath = await logOf(line(1, 'old'));
  const from = await new K8sLogReader().end(logPath);
  await appendFile(logPath, line(2, 'new'));
  assert.equal(await textOf({ logPath, from }), 'new\n');
});

test('the last lines of a long log are found from its end', async () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => line(n, `line ${n}`));
  const logPath = await logOf(...lines);
  assert.equal(await textOf({ logPath, tailLines: 2 }), 'line 19998\nline 19999\n');
  const many = await textOf({ logPath, tailLines: 10_000 });
  assert.equal(many.split('\n').length, 10_001);
  assert.ok(many.startsWith('line 10000\n'));
});

test('more lines than there are is all of them, and zero is none', async () => {
  const logPath = await logOf(line(1, 'a'), line(2, 'b'));
  assert.equal(await textOf({ logPath, tailLines: 10 }), 'a\nb\n');
  assert.equal(await textOf({ logPath, tailLines: 0 }), '');
});

test('a line written in parts counts as one, finished or not', async () => {
  const logPath = await logOf(
    line(1, 'first'),
    line(2, 'se', 'P'),
    line(2, 'cond'),
    line(3, 'th', 'P'),
    line(3, 'ird', 'P'),
  );
  assert.equal(await textOf({ logPath, tailLines: 1 }), 'third');
  assert.equal(await textOf({ logPath, tailLines: 2 }), 'second\nthird');
});

test('a line longer than a block is found whole from the end', async () => {
  const long = Array.from({ length: 40 }, () => line(2, 'x'.repeat(8192), 'P'));
  const logPath = await logOf(line(1, 'a'), ...long, line(2, 'end'), line(3, 'b'));
  const text = await textOf({ logPath, tailLines: 2 });
  assert.equal(text.length, 40 * 8192 + 'end\nb\n'.length);
});

test('since and until are inclusive', async () => {
  const logPath = await logOf(line(1, 'a'), line(2, 'b'), line(3, 'c'), line(4, 'd'));
  assert.equal(await textOf({ logPath, sinceSeconds: 2, untilSeconds: 3 }), 'b\nc\n');
});

test('following a log that appears later gives all of it and ends with the task', async () => {
  const logPath = join(dir, 'later.log');
  let finish: (value: unknown) => void = () => undefined;
  const ended = new Promise((resolve) => {
    finish = resolve;
  });
  let text = '';
  let started = false;
  const reading = (async () => {
    for await (const batch of new K8sLogReader().read({ logPath, follow: { ended } })) {
      for (const { data } of batch) text += Buffer.from(data).toString();
      if (started) continue;
      started = true;
      // Half a record, then its rest and the end at once: nothing of it may be lost.
      await appendFile(logPath, line(2, 'two').slice(0, 20));
      await appendFile(logPath, line(2, 'two').slice(20) + line(3, 'three', 'P'));
      finish(undefined);
    }
  })();
  await writeFile(logPath, line(1, 'one'));
  await reading;
  assert.equal(text, 'one\ntwo\nthree');
});

test('a follow ends when its reader is told to stop', async () => {
  const logPath = await logOf(line(1, 'a'));
  const stop = new AbortController();
  const follow = { ended: new Promise(() => undefined) };
  const seen: number[] = [];
  for await (const batch of new K8sLogReader().read({ logPath, follow, signal: stop.signal })) {
    seen.push(batch.length);
    stop.abort();
  }
  assert.deepEqual(seen, [1]);
});

test('a follow with a time limit in the past ends after what is there', async () => {
  const logPath = await logOf(line(1, 'a'), line(100, 'b'));
  const follow = { ended: new Promise(() => undefined) };
  assert.equal(await textOf({ logPath, follow, untilSeconds: 50 }), 'a\n');
});

/** A log in four files: compressed, rotated, linked but not given up by its writer, and the present one. */
async function rotatedLog(): Promise<string> {
  const logPath = await logOf(line(4, 'd'), line(5, 'e'));
  await writeFile(`${logPath}.2.gz`, gzipSync(line(1, 'a') + line(2, 'b')));
  await writeFile(`${logPath}.3`, line(3, 'c'));
  return logPath;
}

test('a rotated log is read from its oldest file on', async () => {
  const logPath = await rotatedLog();
  assert.equal(await textOf({ logPath }), 'a\nb\nc\nd\ne\n');
  assert.deepEqual(await new K8sLogReader().end(logPath), {
    segment: 4,
    offset: line(4, 'd').length * 2,
  });
});

test('the last lines are found in whichever file they are', async () => {
  const logPath = await rotatedLog();
  assert.equal(await textOf({ logPath, tailLines: 1 }), 'e\n');
  assert.equal(await textOf({ logPath, tailLines: 3 }), 'c\nd\ne\n');
  assert.equal(await textOf({ logPath, tailLines: 4 }), 'b\nc\nd\ne\n');
  assert.equal(await textOf({ logPath, tailLines: 9 }), 'a\nb\nc\nd\ne\n');
});

test('a file that has its number already but is still written to is read once', async () => {
  const logPath = await rotatedLog();
  await link(logPath, `${logPath}.4`);
  assert.equal(await textOf({ logPath }), 'a\nb\nc\nd\ne\n');
});

test('a position in a file that was removed since is the beginning of what is left', async () => {
  const logPath = await rotatedLog();
  assert.equal(await textOf({ logPath, from: { segment: 1, offset: 9 } }), 'a\nb\nc\nd\ne\n');
  assert.equal(await textOf({ logPath, from: { segment: 4, offset: line(4, 'd').length } }), 'e\n');
});

test('a follow goes on through several rotations that happen at once', async () => {
  const logPath = await logOf(line(1, 'one'));
  let finish: (value: unknown) => void = () => undefined;
  const ended = new Promise((resolve) => {
    finish = resolve;
  });
  let text = '';
  for await (const batch of new K8sLogReader().read({ logPath, follow: { ended } })) {
    for (const { data } of batch) text += Buffer.from(data).toString();
    if (text !== 'one\n') continue;
    for (const number of [1, 2, 3]) {
      await appendFile(logPath, line(2, `last of ${number}`));
      await link(logPath, `${logPath}.${number}`);
      await writeFile(`${logPath}.tmp`, line(3, `first after ${number}`));
      await rename(`${logPath}.tmp`, logPath);
    }
    finish(undefined);
  }
  const expected = [1, 2, 3].flatMap((n) => [`last of ${n}`, `first after ${n}`]);
  assert.deepEqual(text.split('\n'), ['one', ...expected, '']);
});
