import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDaemonArguments } from './daemon-flags.ts';

const flagsOf = (...argv: string[]) => Object.fromEntries(parseDaemonArguments(argv).daemon.flags);

test('repeated flags are all kept, in every spelling', () => {
  assert.deepEqual(
    flagsOf('-H', 'unix:///a', '--host=unix:///b', '-Hunix:///c', '--host', 'fd://'),
    {
      host: ['unix:///a', 'unix:///b', 'unix:///c', 'fd://'],
    },
  );
});

test('a switch takes no value unless one is given with an equals sign', () => {
  assert.deepEqual(flagsOf('-D', '--log-level', 'warn'), {
    debug: ['true'],
    'log-level': ['warn'],
  });
  assert.deepEqual(flagsOf('--debug=false'), { debug: ['false'] });
});

test('a value may begin with a dash or hold an equals sign', () => {
  assert.deepEqual(flagsOf('--shutdown-timeout', '-1', '--add-runtime=a=/b=c'), {
    'shutdown-timeout': ['-1'],
    'add-runtime': ['a=/b=c'],
  });
});

test('the configuration file and the wish to validate are told apart from settings', () => {
  const parsed = parseDaemonArguments(['--config-file', '/x', '--validate']);
  assert.deepEqual(parsed, { daemon: { flags: new Map(), configFile: '/x' }, validate: true });
});

test('a flag without its value is refused', () => {
  assert.throws(() => parseDaemonArguments(['--data-root']), /needs an argument: --data-root/);
});

test('an argument that is no flag is refused', () => {
  assert.throws(() => parseDaemonArguments(['start']), /unexpected argument: start/);
});
