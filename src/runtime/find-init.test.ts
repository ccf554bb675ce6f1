import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStaticElf } from './find-init.ts';

function elf(...segmentTypes: number[]): Buffer {
  const head = Buffer.alloc(64 + 56 * segmentTypes.length);
  head.writeUInt32BE(0x7f454c46, 0);
  head[4] = 2;
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(segmentTypes.length, 56);
  for (const [index, type] of segmentTypes.entries()) head.writeUInt32LE(type, 64 + 56 * index);
  return head;
}

test('a program without an interpreter is static', () => {
  assert.equal(isStaticElf(elf(1, 1, 4)), true);
});

test('a program with an interpreter is not', () => {
  assert.equal(isStaticElf(elf(6, 3, 1)), false);
});

test('a script is no static program', () => {
  assert.equal(isStaticElf(Buffer.from('#!/bin/sh\n'.padEnd(80))), false);
});
