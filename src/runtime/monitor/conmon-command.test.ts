import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runtimePaths } from '../../sys/paths.ts';
import { UsableRuntime } from '../runtimes/usable-runtime.ts';
import { conmonCommand, type MonitorRequest } from './conmon-command.ts';
import { taskFiles } from './task-files.ts';

const id = 'a'.repeat(64);
const facts = {
  path: '/usr/bin/crun',
  args: ['--cgroup-manager=disabled'],
  startBy: 'write',
  makesCgroups: false,
  joinsGroups: false,
} as const;
const base: MonitorRequest = {
  program: 'conmon',
  id,
  runtime: new UsableRuntime('crun', facts, { stateDir: '/run/w/runtimes/crun' }),
  files: taskFiles(runtimePaths('/run/w'), id),
  logPath: '/data/container.log',
  terminal: false,
  stdin: 'none',
  hostNetwork: false,
  ownKeyring: true,
  temporaryDir: '/run/w',
};
const argsOf = (request: Partial<MonitorRequest>) =>
  conmonCommand({ ...base, ...request }).args.join(' ');

test('the runtime gets its state directory and its own options before the verb', () => {
  assert.match(
    argsOf({}),
    /--runtime-arg --root=\/run\/w\/runtimes\/crun --runtime-arg --cgroup-manager=disabled/,
  );
});

test('stdin is opened only when asked for, and kept only when clients come and go', () => {
  assert.doesNotMatch(argsOf({}), /stdin/);
  assert.match(argsOf({ stdin: 'once' }), /--stdin$/);
  assert.match(argsOf({ stdin: 'kept' }), /--stdin --leave-stdin-open$/);
});

test('a terminal is asked for by an option of its own', () => {
  assert.match(argsOf({ terminal: true }), /--terminal/);
});

test('the console socket is kept in our directory unless its path gets too long', () => {
  assert.equal(conmonCommand(base).env?.['TMPDIR'], '/run/w');
  const temporaryDir = `/run/${'d'.repeat(90)}`;
  assert.equal(conmonCommand({ ...base, temporaryDir }).env?.['TMPDIR'], undefined);
});

test('exit codes are written beside those of other tasks', () => {
  assert.match(argsOf({}), /--exit-dir \/run\/w\/exits /);
});
