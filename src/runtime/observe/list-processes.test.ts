import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../../shared/errors.ts';
import { listProcesses, selectProcesses } from './list-processes.ts';

test('only the container’s processes are shown, commands with their arguments', () => {
  const text = ['UID   PID CMD', 'root    7 sleep  10', 'root   70 other', 'root    9 sh -c x', ''];
  assert.deepEqual(selectProcesses(text.join('\n'), new Set([7, 9])), {
    titles: ['UID', 'PID', 'CMD'],
    processes: [
      ['root', '7', 'sleep 10'],
      ['root', '9', 'sh -c x'],
    ],
  });
});

test('threads follow the process that they belong to', () => {
  const text = ['PID TTY CMD', '7 ? node', '- ? -', '8 ? other', '- ? -'].join('\n');
  const { processes } = selectProcesses(text, new Set([7]));
  assert.deepEqual(processes, [
    ['7', '?', 'node'],
    ['-', '?', '-'],
  ]);
});

test('a table without process ids is refused with Docker’s text', () => {
  assert.throws(() => selectProcesses('CMD\nsleep\n', new Set([1])), {
    message: "Couldn't find PID field in ps output",
    kind: 'invalid-argument',
  });
});

test('the machine’s ps is asked, and its complaint is passed on', async () => {
  const { titles, processes } = await listProcesses([process.pid], ['-o', 'pid,comm']);
  assert.deepEqual(titles, ['PID', 'COMMAND']);
  assert.deepEqual(
    processes.map(([pid]) => pid),
    [String(process.pid)],
  );
  await assert.rejects(listProcesses([process.pid], ['--nonsense']), (error) => {
    assert.equal(kindOf(error), 'internal');
    assert.match(String(error), /ps: .*option/);
    return true;
  });
});

test('options that do not go together with a choice of processes work all the same', async () => {
  const { processes } = await listProcesses([process.pid], ['axf', '-o', 'pid']);
  assert.deepEqual(processes, [[String(process.pid)]]);
});
