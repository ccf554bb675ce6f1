import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { eventually } from '../../../test/support/eventually.ts';
import { StandInJournal } from '../../../test/support/journal.ts';
import { newContainerId } from '../../shared/ids.ts';
import type { KeptLog, LogPolicy } from '../log-keeper.ts';
import { JournalKeeper } from './journal-keeper.ts';
import { K8sLogReader } from './k8s-log-reader.ts';
import { dropOldest, rotateJournal } from './rotate-journal.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wherry-keeper-'));
});
after(() => rm(root, { recursive: true, force: true }));

const record = (text: string, tag = 'F') =>
  `2026-11-24T07:27:34.401705300+00:00 stdout ${tag} ${text}\n`;
const reader = new K8sLogReader();

/** A log in a directory of its own. */
async function logWith(policy: Partial<LogPolicy> = {}): Promise<KeptLog & { mirror: string }> {
  const dir = await mkdtemp(join(root, 'log-'));
  const mirror = join(dir, 'c-json.log');
  const defaults = {
    maxFiles: 1,
    compresses: false,
    mirror: { kind: 'file' as const, path: mirror },
  };
  const id = newContainerId();
  return { id, logPath: join(dir, 'container.log'), mirror, policy: { ...defaults, ...policy } };
}

/** Keeps the log as at the end of a run, by an engine that knows nothing but the files. */
async function keepOnce(log: KeptLog): Promise<void> {
  const errors: unknown[] = [];
  const keeper = new JournalKeeper({
    reader,
    reopen: () => false,
    report: (_id, error) => errors.push(error),
  });
  await keeper.end(log);
  assert.deepEqual(errors, []);
}

async function linesOf(path: string): Promise<readonly string[]> {
  const bytes = await readFile(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { log: string }).log);
}

/** What a monitor does when it is told to begin a new log. */
const newFile = (path: string) => {
  void writeFile(`${path}.tmp`, '').then(() => rename(`${path}.tmp`, path));
  return true;
};

test('every line comes once, however often the log is kept', async () => {
  const log = await logWith();
  await writeFile(log.logPath, record('one') + record('two'));
  await keepOnce(log);
  await keepOnce(log);
  await appendFile(log.logPath, record('three'));
  await keepOnce(log);
  assert.deepEqual(await linesOf(log.mirror), ['one\n', 'two\n', 'three\n']);
});

test('lines that were written but not recorded when the engine died come once', async () => {
  const log = await logWith();
  await writeFile(log.logPath, record('one'));
  await keepOnce(log);
  await appendFile(log.logPath, record('two'));
  await appendFile(log.mirror, '{"log":"two\\n"}\n{"log":"th');
  await keepOnce(log);
  assert.deepEqual(await linesOf(log.mirror), ['one\n', 'two\n']);
});

test('the file is made anew when the record of it is damaged', async () => {
  const log = await logWith();
  await writeFile(log.logPath, record('one'));
  await keepOnce(log);
  await writeFile(`${log.mirror}.progress`, '');
  await keepOnce(log);
  assert.deepEqual(await linesOf(log.mirror), ['one\n']);
});

test('full files get older names, the oldest are compressed and at last removed', async () => {
  const log = await logWith({ maxBytes: 200, maxFiles: 3, compresses: true });
  const all = Array.from({ length: 12 }, (_, n) => `line number ${n}`);
  await writeFile(log.logPath, all.map((text) => record(text)).join(''));
  await keepOnce(log);
  const names = (await readdir(join(log.mirror, '..'))).filter((name) => name.startsWith('c-json'));
  assert.deepEqual(names.sort(), [
    'c-json.log',
    'c-json.log.1.gz',
    'c-json.log.2.gz',
    'c-json.log.progress',
  ]);
  const kept = [
    ...(await linesOf(`${log.mirror}.2.gz`)),
    ...(await linesOf(`${log.mirror}.1.gz`)),
    ...(await linesOf(log.mirror)),
  ];
  assert.deepEqual(
    kept,
    all.slice(-kept.length).map((text) => `${text}\n`),
  );
  assert.ok(kept.length >= 6);
});

test('a running container has its log mirrored and rotated, and no line is lost', async () => {
  const log = await logWith({ maxBytes: 400, maxFiles: 100 });
  const errors: unknown[] = [];
  await using keeper = {
    it: new JournalKeeper({
      reader,
      reopen: () => newFile(log.logPath),
      report: (_id, error) => errors.push(error),
    }),
    [Symbol.asyncDispose]: () => keeper.it.close(),
  };
  const all: string[] = [];
  keeper.it.begin(log);
  let ended: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  let seen = '';
  const following = (async () => {
    for await (const batch of reader.read({ logPath: log.logPath, follow: { ended: over } })) {
      for (const { data } of batch) seen += Buffer.from(data).toString();
      // Each rotation is an invitation to write on.
      if (all.length < 60) await write();
    }
  })();
  async function write() {
    const lines = Array.from({ length: 10 }, (_, n) => `line ${all.length + n}`);
    all.push(...lines);
    const { segment } = await reader.end(log.logPath);
    await appendFile(log.logPath, lines.map((text) => record(text)).join(''));
    while ((await reader.end(log.logPath)).segment === segment) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await write();
  while (all.length < 60) await new Promise((resolve) => setImmediate(resolve));
  ended();
  await following;
  await keeper.it.end(log);
  assert.deepEqual(errors, []);
  assert.deepEqual(seen.split('\n'), [...all, '']);
  assert.ok((await reader.end(log.logPath)).segment > 2);
  const mirrored: string[] = [];
  for (let age = 99; age > 0; age--) {
    if (existsSync(`${log.mirror}.${age}`))
      mirrored.push(...(await linesOf(`${log.mirror}.${age}`)));
  }
  mirrored.push(...(await linesOf(log.mirror)));
  assert.deepEqual(
    mirrored,
    all.map((text) => `${text}\n`),
  );
});

test('a rotation that no monitor answers loses nothing and is taken up by the next one', async () => {
  const log = await logWith();
  await writeFile(log.logPath, record('one'));
  assert.equal(await rotateJournal(log.logPath, () => false), false);
  await appendFile(log.logPath, record('two'));
  assert.equal(await rotateJournal(log.logPath, () => newFile(log.logPath)), true);
  assert.equal((await stat(`${log.logPath}.1`)).size, record('one').length * 2);
  assert.equal((await stat(log.logPath)).size, 0);
});

test('files that the mirror has not taken yet stay, however many they are', async () => {
  const log = await logWith({ maxBytes: 1000, maxFiles: 2 });
  for (const number of [1, 2, 3, 4]) await writeFile(`${log.logPath}.${number}`, record('x'));
  await dropOldest(log, 3);
  const names = await readdir(join(log.logPath, '..'));
  assert.deepEqual(names.sort(), ['container.log.2', 'container.log.3', 'container.log.4']);
});

test('files that the mirror would drop again go before it has taken them', async () => {
  const log = await logWith({ maxBytes: 10, maxFiles: 2 });
  for (const number of [1, 2, 3, 4, 5]) await writeFile(`${log.logPath}.${number}`, 'x'.repeat(12));
  await dropOldest(log, 1);
  const names = await readdir(join(log.logPath, '..'));
  assert.deepEqual(names.sort(), ['container.log.3', 'container.log.4', 'container.log.5']);
});

test('a mirror that takes nothing lets files grow neither in size nor in number', async () => {
  using journal = new StandInJournal(join(root, 'stuck'), { isStuck: true });
  const mirror = {
    kind: 'journal' as const,
    progressPath: join(root, 'stuck.progress'),
    fields: {},
  };
  const log = await logWith({ maxBytes: 1000, maxFiles: 2, mirror });
  const keeper = new JournalKeeper({
    reader,
    reopen: () => newFile(log.logPath),
    report: () => undefined,
    journalSocket: journal.path,
  });
  await writeFile(log.logPath, record('x'.repeat(1000)).repeat(2000));
  keeper.begin(log);
  for (let rotated = 1; rotated <= 20; rotated++) {
    await eventually(async () => (await reader.end(log.logPath)).segment > rotated);
    await appendFile(log.logPath, record('y'.repeat(1000)));
  }
  const files = (await readdir(join(log.logPath, '..'))).filter((name) => /log\.\d+$/.test(name));
  assert.ok(files.length <= 4, files.join(' '));
  await keeper.drop(log.id);
});

test('a dropped log is let go of before its last lines are dealt with', async () => {
  const log = await logWith();
  await writeFile(log.logPath, record('one'));
  const keeper = new JournalKeeper({ reader, reopen: () => false, report: assert.ifError });
  keeper.begin(log);
  await keeper.drop(log.id);
  assert.deepEqual(await readdir(join(log.logPath, '..')), ['container.log']);
});
