import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachKeyScanner } from './detach-keys.ts';

const CTRL_P = 16;
const CTRL_Q = 17;
const keys = Uint8Array.of(CTRL_P, CTRL_Q);
const bytes = (...values: number[]) => Uint8Array.from(values);

test('the sequence detaches and what came before it reaches the process', () => {
  const result = new DetachKeyScanner(keys).scan(bytes(97, CTRL_P, CTRL_Q, 98));
  assert.deepEqual(result, { forward: bytes(97), detached: true });
});

test('a sequence split over two reads is found', () => {
  const scanner = new DetachKeyScanner(keys);
  assert.deepEqual(scanner.scan(bytes(CTRL_P)), { forward: bytes(), detached: false });
  assert.equal(scanner.scan(bytes(CTRL_Q)).detached, true);
});

test('held-back keys are given on when the sequence does not continue', () => {
  const scanner = new DetachKeyScanner(keys);
  scanner.scan(bytes(CTRL_P));
  assert.deepEqual(scanner.scan(bytes(97)), { forward: bytes(CTRL_P, 97), detached: false });
});

test('a repeated first key starts the sequence anew', () => {
  const result = new DetachKeyScanner(keys).scan(bytes(CTRL_P, CTRL_P, CTRL_Q));
  assert.deepEqual(result, { forward: bytes(CTRL_P), detached: true });
});

test('without keys everything is forwarded as it is', () => {
  const input = bytes(CTRL_P, CTRL_Q);
  assert.deepEqual(new DetachKeyScanner(bytes()).scan(input), { forward: input, detached: false });
});
