import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeWaitStatus } from './exit-watch.ts';

describe('decoding a wait status', () => {
  it('gives the exit code of a process that ended by itself', () => {
    assert.deepEqual(decodeWaitStatus(0), { exitCode: 0, signal: null });
    assert.deepEqual(decodeWaitStatus(137 << 8), { exitCode: 137, signal: null });
  });

  it('gives the signal that killed a process, with or without a core dump', () => {
    assert.deepEqual(decodeWaitStatus(9), { exitCode: null, signal: 'SIGKILL' });
    assert.deepEqual(decodeWaitStatus(11 | 0x80), { exitCode: null, signal: 'SIGSEGV' });
  });

  it('names a real-time signal by its number', () => {
    assert.deepEqual(decodeWaitStatus(40), { exitCode: null, signal: 'SIG40' });
  });
});
