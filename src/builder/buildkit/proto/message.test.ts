import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bool,
  bytes,
  int,
  int64,
  map,
  message,
  repeated,
  repeatedString,
  string,
  stringMap,
  sub,
  uint32,
} from './message.ts';

const Inner = message({ name: string(1), size: int(2) });
const Outer = message({
  text: string(1),
  flag: bool(2),
  count: int(3),
  mode: uint32(4),
  time: int64(5),
  data: bytes(6),
  inner: sub(7, Inner),
  list: repeated(8, Inner),
  names: repeatedString(9),
  attrs: stringMap(10),
  byName: map(11, sub(2, Inner)),
});

test('what is encoded comes back', () => {
  const value = {
    text: 'größe',
    flag: true,
    count: -3,
    mode: 2 ** 31 + 0o755,
    time: 1_700_000_000_123_456_789n,
    data: new Uint8Array([0, 255]),
    inner: { name: 'a', size: 5_000_000_000 },
    list: [
      { name: 'b', size: 0 },
      { name: '', size: 1 },
    ],
    names: ['x', '', 'y'],
    attrs: new Map([
      ['k', 'v'],
      ['', 'empty'],
    ]),
    byName: new Map([['n', { name: 'c', size: 2 }]]),
  };
  const decoded = Outer.decode(Outer.encode(value));
  assert.deepEqual({ ...decoded, data: new Uint8Array(decoded.data) }, value);
});

test('fields that are left out have their defaults', () => {
  assert.deepEqual(Outer.decode(Outer.encode({})), {
    text: '',
    flag: false,
    count: 0,
    mode: 0,
    time: 0n,
    data: new Uint8Array(),
    inner: undefined,
    list: [],
    names: [],
    attrs: new Map(),
    byName: new Map(),
  });
});

test('the bytes are those of protobuf', () => {
  // Field 1, length-delimited, one byte; field 2, varint 150.
  assert.equal(Buffer.from(Inner.encode({ name: 'a', size: 150 })).toString('hex'), '0a0161109601');
});

test('fields that are not known are skipped', () => {
  const Newer = message({ name: string(1), extra: stringMap(5), more: int(900), size: int(2) });
  const raw = Newer.encode({ name: 'n', extra: new Map([['a', 'b']]), more: 7, size: 9 });
  assert.deepEqual(Inner.decode(raw), { name: 'n', size: 9 });
});

test('bytes that are no message are refused', () => {
  assert.throws(() => Inner.decode(Buffer.from('0aff61', 'hex')));
});
