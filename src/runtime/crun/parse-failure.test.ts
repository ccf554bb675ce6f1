import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCrunFailure } from './parse-failure.ts';

const create = { operation: 'create', program: 'x' } as const;

test('a program that is not on the path is exit code 127 with the text that clients look for', () => {
  const message = 'executable file `nosuch` not found in $PATH: No such file or directory';
  assert.deepEqual(parseCrunFailure(message, create), {
    text: 'crun create failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
    exitCode: 127,
  });
});

test('a missing absolute path is exit code 127', () => {
  const message = 'executable file `/no/such` not found in $PATH: No such file or directory';
  const failure = parseCrunFailure(message, { operation: 'exec', program: '/no/such' });
  assert.equal(failure?.exitCode, 127);
  assert.equal(
    failure?.text,
    'exec failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or directory',
  );
});

test('a file without execute permission is exit code 126', () => {
  const failure = parseCrunFailure('open executable: Permission denied', create);
  assert.equal(failure?.exitCode, 126);
  assert.match(failure?.text ?? '', /exec: "x": permission denied$/);
});

test('a directory as program is exit code 126', () => {
  const failure = parseCrunFailure('open executable: Operation not permitted', create);
  assert.equal(failure?.exitCode, 126);
});

test('a file mounted over a directory asks the question that Docker asks', () => {
  const message = 'mount `/etc/hosts` to `etc`: Not a directory';
  const failure = parseCrunFailure(message, create);
  assert.equal(failure?.exitCode, 126);
  assert.match(
    failure?.text ?? '',
    /error mounting "\/etc\/hosts" to rootfs at "\/etc": not a directory: Are you/,
  );
});

test('a missing working directory is told as runc tells it', () => {
  const message = 'chdir `/nodir`: No such file or directory';
  const failure = parseCrunFailure(message, { operation: 'exec', program: 'sh' });
  assert.equal(failure?.exitCode, 127);
  assert.match(failure?.text ?? '', /chdir to cwd \("\/nodir"\) set in config.json failed/);
});

test('an unknown message is left to others', () => {
  assert.equal(parseCrunFailure('clone: Operation not permitted', create), undefined);
});
