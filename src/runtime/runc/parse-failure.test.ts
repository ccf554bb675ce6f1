import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRuncFailure } from './parse-failure.ts';

const start = 'runc create failed: unable to start container process: ';

test('a program that is not on the path is exit code 127', () => {
  const text = `${start}exec: "nosuch": executable file not found in $PATH`;
  assert.deepEqual(parseRuncFailure(text), { text, exitCode: 127 });
});

test('a missing absolute path is exit code 127', () => {
  const text = `${start}exec: "/nosuch": stat /nosuch: no such file or directory`;
  assert.deepEqual(parseRuncFailure(text), { text, exitCode: 127 });
});

test('a file that cannot be executed is exit code 126', () => {
  for (const reason of ['permission denied', 'is a directory']) {
    const text = `exec failed: unable to start container process: exec: "/etc": ${reason}`;
    assert.deepEqual(parseRuncFailure(text), { text, exitCode: 126 });
  }
});

test('a missing working directory counts as something that was not found', () => {
  const text =
    'exec failed: unable to start container process: chdir to cwd ("/nodir") set in config.json failed: no such file or directory';
  assert.equal(parseRuncFailure(text)?.exitCode, 127);
});

test('a mount of the wrong kind asks the question that Docker asks', () => {
  const text = `${start}error during container init: error mounting "/a" to rootfs at "/b": mount /a:/b: not a directory`;
  assert.match(
    parseRuncFailure(text)?.text ?? '',
    /Are you trying to mount a directory onto a file/,
  );
});

test('anything else is exit code 128', () => {
  const text =
    'exec failed: unable to start container process: unable to setup user: invalid argument';
  assert.deepEqual(parseRuncFailure(text), { text, exitCode: 128 });
});

test('a message of another program is left to others', () => {
  assert.equal(parseRuncFailure('open executable: Permission denied'), undefined);
});
