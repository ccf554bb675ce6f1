import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSignal } from './signals.ts';

test('signals are names with or without SIG in any case, numbers, and real-time offsets', () => {
  const cases: [string, number][] = [
    ['KILL', 9],
    ['SIGKILL', 9],
    ['sigterm', 15],
    ['9', 9],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
    ['64', 64],
  ];
  for (const [text, number] of cases) assert.equal(parseSignal(text), number, text);
});

test('anything else is no signal', () => {
  for (const text of ['', '0', '65', '-9', 'SIG', 'NOPE', 'RTMIN+31', 'RTMIN-1', 'RTMAX+1', '9x']) {
    assert.equal(parseSignal(text), undefined, text);
  }
});
