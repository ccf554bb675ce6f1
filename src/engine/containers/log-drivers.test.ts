import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLogConfig, keepsNoLog, logDriver, logWarnings } from './log-drivers.ts';

test('without a word the driver is json-file', () => {
  checkLogConfig(undefined);
  assert.equal(logDriver({}), 'json-file');
  assert.equal(keepsNoLog({ Type: '' }), false);
});

test('the drivers that keep files and the one that keeps nothing are taken', () => {
  checkLogConfig({
    Type: 'json-file',
    Config: { 'max-size': '1m', labels: 'a', mode: 'blocking' },
  });
  checkLogConfig({ Type: 'local', Config: { mode: 'non-blocking', 'max-buffer-size': '4m' } });
  checkLogConfig({ Type: 'none', Config: { any: 'thing' } });
  assert.equal(keepsNoLog({ Type: 'none' }), true);
});

for (const [logConfig, message] of [
  [{ Type: 'wat' }, "logger: no log driver named 'wat' is registered"],
  [{ Type: 'syslog' }, "logger: no log driver named 'syslog' is registered"],
  [{ Config: { color: 'red' } }, "unknown log opt 'color' for json-file log driver"],
  [{ Type: 'local', Config: { tag: 'x' } }, "unknown log opt 'tag' for local log driver"],
  [{ Config: { mode: 'lazy' } }, 'logger: logging mode not supported: lazy'],
  [
    { Config: { 'max-buffer-size': '1m' } },
    "unknown log opt 'max-buffer-size' for json-file log driver",
  ],
] as const) {
  test(`the log settings ${JSON.stringify(logConfig)} are refused`, () => {
    assert.throws(() => checkLogConfig(logConfig), { kind: 'invalid-argument', message });
  });
}

test('options of rotation are answered with a warning', () => {
  assert.deepEqual(logWarnings({ Config: { 'max-size': '1m', 'max-file': '3' } }), [
    'The log options max-size, max-file have no effect: logs are not rotated.',
  ]);
  assert.deepEqual(logWarnings({ Config: { labels: 'x' } }), []);
});
