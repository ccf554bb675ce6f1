import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLogConfig, keepsNoLog, logDriver, logLimits, mergeLogConfig } from './log-drivers.ts';

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
  [{ Config: { 'max-size': 'much' } }, "invalid size: 'much'"],
  [{ Config: { 'max-file': '0' } }, 'max-file cannot be less than 1'],
  [
    { Config: { compress: 'true' } },
    'compress cannot be true when max-file is less than 2 or max-size is not set',
  ],
  [{ Config: { 'labels-regex': '(' } }, 'error parsing regexp: `(`'],
] as const) {
  test(`the log settings ${JSON.stringify(logConfig)} are refused`, () => {
    assert.throws(() => checkLogConfig(logConfig), { kind: 'invalid-argument', message });
  });
}

test('without options json-file has one file without a limit, local has five of 20 MiB', () => {
  assert.deepEqual(logLimits(undefined), { maxFiles: 1, compresses: false });
  assert.deepEqual(logLimits({ Type: 'local' }), {
    maxBytes: 20 << 20,
    maxFiles: 5,
    compresses: true,
  });
});

test('sizes count in powers of ten, and -1 is no limit', () => {
  assert.equal(logLimits({ Config: { 'max-size': '10m' } }).maxBytes, 10_000_000);
  assert.equal(logLimits({ Config: { 'max-size': '1.5kB' } }).maxBytes, 1500);
  assert.equal(logLimits({ Config: { 'max-size': '7' } }).maxBytes, 7);
  assert.equal(
    logLimits({ Type: 'local', Config: { 'max-size': '-1', compress: 'f' } }).maxBytes,
    undefined,
  );
});

test('the options of the daemon go with its driver, and those of the container come first', () => {
  const daemon = { driver: 'local', options: { 'max-size': '1m', 'max-file': '3' } };
  assert.deepEqual(mergeLogConfig(undefined, daemon), { Type: 'local', Config: daemon.options });
  assert.deepEqual(mergeLogConfig({ Config: { 'max-file': '2' } }, daemon).Config, {
    'max-size': '1m',
    'max-file': '2',
  });
  assert.deepEqual(mergeLogConfig({ Type: 'json-file' }, daemon), {
    Type: 'json-file',
    Config: {},
  });
});
