import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';
import { Terminal } from '../support/terminal.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** Spaces at the end of a line are not on the screen that is read. */
const PROMPT = /# ?$/m;

/** Opens a terminal with the docker client in it. */
const docker = (...args: readonly string[]) =>
  Terminal.open(['docker', ...args], { ...daemon.env, TERM: 'xterm' });

test('a shell in a terminal has job control, its size, and the exit code of its last command', async () => {
  await using terminal = await docker('run', '-it', '--rm', '--name', 'shell', BUSYBOX);
  await terminal.shows(PROMPT);
  await terminal.type('stty size; tty; echo $TERM');
  await terminal.press('Enter');
  const screen = await terminal.shows(/xterm/);
  assert.match(screen, /^24 80$/m);
  assert.match(screen, /^\/dev\/(pts\/0|console)$/m);
  await terminal.type('exit 9');
  await terminal.press('Enter');
  assert.equal(await terminal.exitCode(), 9);
});

test('the process learns of a new window size', async () => {
  await using terminal = await docker('run', '-it', '--rm', BUSYBOX);
  await terminal.shows(PROMPT);
  await terminal.resize({ columns: 101, rows: 33 });
  await terminal.type('until [ "$(stty size)" = "33 101" ]; do :; done; echo grown');
  await terminal.press('Enter');
  await terminal.shows(/^grown$/m);
});

test('an interrupt key reaches the foreground process', async () => {
  await using terminal = await docker('run', '-it', '--rm', BUSYBOX);
  await terminal.shows(PROMPT);
  await terminal.type('sleep 1000');
  await terminal.press('Enter', 'C-c');
  await terminal.type('echo code $?');
  await terminal.press('Enter');
  await terminal.shows(/^code 130$/m);
});

test('the detach keys leave the container running, and attach comes back to it', async () => {
  await using first = await docker('run', '-it', '--name', 'kept', BUSYBOX);
  await first.shows(PROMPT);
  await first.type('MARK=here');
  await first.press('Enter', 'C-p', 'C-q');
  assert.equal(await first.exitCode(), 0);
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Running}}', 'kept'), 'true');
  await using second = await docker('attach', 'kept');
  await second.type('echo still $MARK');
  await second.press('Enter');
  await second.shows(/^still here$/m);
  await daemon.ok('rm', '-f', 'kept');
});

test('detach keys of one’s own are obeyed', async () => {
  await using terminal = await docker(
    'run',
    '-it',
    '--detach-keys',
    'ctrl-x,d',
    '--name',
    'own',
    BUSYBOX,
  );
  await terminal.shows(PROMPT);
  await terminal.press('C-x', 'd');
  assert.equal(await terminal.exitCode(), 0);
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Running}}', 'own'), 'true');
  await daemon.ok('rm', '-f', 'own');
});

test('exec in a terminal is sized, resized and ends with its exit code', async () => {
  await daemon.ok('run', '-d', '--name', 'deck', BUSYBOX, 'sleep', '1000');
  await using terminal = await docker('exec', '-it', 'deck', 'sh');
  await terminal.shows(PROMPT);
  await terminal.type('stty size');
  await terminal.press('Enter');
  await terminal.shows(/^24 80$/m);
  await terminal.resize({ columns: 90, rows: 30 });
  await terminal.type('until [ "$(stty size)" = "30 90" ]; do :; done; echo grown');
  await terminal.press('Enter');
  await terminal.shows(/^grown$/m);
  await terminal.type('exit 6');
  await terminal.press('Enter');
  assert.equal(await terminal.exitCode(), 6);
  await daemon.ok('rm', '-f', 'deck');
});

test('the log of a container with a terminal is raw', async () => {
  await using terminal = await docker('run', '-it', '--name', 'raw', BUSYBOX, 'echo', 'plain');
  assert.equal(await terminal.exitCode(), 0);
  assert.equal((await daemon.docker('logs', 'raw')).stdout, 'plain\r\n');
  await daemon.ok('rm', 'raw');
});
