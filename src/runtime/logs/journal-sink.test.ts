import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { StandInJournal } from '../../../test/support/journal.ts';
import { newContainerId } from '../../shared/ids.ts';
import type { KeptLog } from '../log-keeper.ts';
import { JournalKeeper } from './journal-keeper.ts';
import { K8sLogReader } from './k8s-log-reader.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wherry-journal-'));
});
after(() => rm(root, { recursive: true, force: true }));

const TIME = '2026-11-24T07:27:34.401705300+00:00';
const record = (text: string, { stream = 'stdout', tag = 'F' } = {}) =>
  `${TIME} ${stream} ${tag} ${text}\n`;

async function logWith(fields: Readonly<Record<string, string>>): Promise<KeptLog> {
  const dir = await mkdtemp(join(root, 'log-'));
  const mirror = { kind: 'journal' as const, progressPath: join(dir, 'progress'), fields };
  const policy = { maxFiles: 1, compresses: false, mirror };
  return { id: newContainerId(), logPath: join(dir, 'container.log'), policy };
}

function keeperFor(journalSocket: string, errors: unknown[] = []): JournalKeeper {
  return new JournalKeeper({
    reader: new K8sLogReader(),
    reopen: () => false,
    report: (_id, error) => errors.push(error),
    journalSocket,
  });
}

test('entries have message, priority, time and fields; long lines come in marked parts', async () => {
  using journal = new StandInJournal(join(root, 'a'));
  const log = await logWith({ CONTAINER_NAME: 'web', NOTE: 'two\nlines' });
  const long = 'x'.repeat(20_000);
  await writeFile(log.logPath, record('out') + record('err', { stream: 'stderr' }) + record(long));
  await keeperFor(journal.path).end(log);
  const entries = await eventually(() => journal.entries.length === 4 && journal.entries);
  const fields = {
    SYSLOG_TIMESTAMP: '2026-11-24T07:27:34.401705300Z',
    CONTAINER_NAME: 'web',
    NOTE: 'two\nlines',
  };
  assert.deepEqual(entries.slice(0, 3), [
    { MESSAGE: 'out', PRIORITY: '6', ...fields },
    { MESSAGE: 'err', PRIORITY: '3', ...fields },
    {
      MESSAGE: long.slice(0, 16 << 10),
      PRIORITY: '6',
      CONTAINER_PARTIAL_MESSAGE: 'true',
      ...fields,
    },
  ]);
  assert.equal(entries[3]?.['MESSAGE'], long.slice(16 << 10));
  assert.equal(entries[3]?.['CONTAINER_PARTIAL_MESSAGE'], undefined);
});

test('what could not be sent comes later, and nothing comes again', async () => {
  const log = await logWith({});
  const path = join(root, 'b');
  const errors: unknown[] = [];
  await writeFile(log.logPath, record('one'));
  await keeperFor(path, errors).end(log);
  assert.equal(errors.length, 1);
  using journal = new StandInJournal(path);
  await keeperFor(path).end(log);
  await appendFile(log.logPath, record('two'));
  await keeperFor(path).end(log);
  const lines = Array.from({ length: 3000 }, (_, n) => `line ${n}`);
  await appendFile(log.logPath, lines.map((line) => record(line)).join(''));
  await keeperFor(path).end(log);
  const messages = () => journal.entries.map(({ MESSAGE }) => MESSAGE);
  await eventually(() => journal.entries.length >= 3002);
  assert.deepEqual(messages(), ['one', 'two', ...lines]);
});

test('a machine without a journal is told from one with it', async () => {
  const { policy } = await logWith({});
  const path = join(root, 'c');
  assert.throws(() => keeperFor(path).assertPossible(policy), {
    kind: 'unavailable',
    message: /journald is not enabled on this host.*json-file/,
  });
  using journal = new StandInJournal(path);
  keeperFor(journal.path).assertPossible(policy);
});
