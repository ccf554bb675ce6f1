import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../shared/errors.ts';
import { createLogger } from './console-logger.ts';

/** What is written to standard error while `act` runs. */
function written(act: () => void): string {
  const original = process.stderr.write;
  let text = '';
  process.stderr.write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  try {
    act();
  } finally {
    process.stderr.write = original;
  }
  return text;
}

test('every message is told, however often it is repeated', () => {
  const logger = createLogger({ level: 'info', format: 'text' }, 'host');
  const lines = written(() => {
    for (let count = 0; count < 20; count++) logger.info('same');
  });
  assert.equal(lines.trim().split('\n').length, 20);
});

test('messages below the level are dropped', () => {
  const logger = createLogger({ level: 'warn', format: 'text' }, 'host');
  assert.equal(
    written(() => logger.info('quiet')),
    '',
  );
});

test('an error is spelled out with kind and causes in JSON', () => {
  const logger = createLogger({ level: 'debug', format: 'json' }, 'engine');
  const error = new EngineError('conflict', 'outer', { cause: new Error('inner') });
  const record = JSON.parse(written(() => logger.error('failed', { error, pid: 3 })));
  assert.equal(record.level, 'error');
  assert.equal(record.msg, 'failed');
  assert.equal(record.source, 'engine');
  assert.equal(record.pid, 3);
  assert.match(record.error, /EngineError \(conflict\): outer <- Error: inner/);
});

test('texts with spaces are quoted so that a line can be taken apart', () => {
  const logger = createLogger({ level: 'info', format: 'text' }, 'host');
  assert.match(
    written(() => logger.info('two words', { path: '/x' })),
    /msg="two words" source=host path=\/x\n$/,
  );
});
