import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertServed, splitVersion } from './api-version.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { decodeRegistryAuth } from './registry-auth.ts';
import { encodeFrame, FrameDecoder } from './stdcopy.ts';

test('a version prefix is taken off once', () => {
  assert.deepEqual(splitVersion('/v1.44/info'), { version: '1.44', path: '/info' });
  assert.deepEqual(splitVersion('/info'), { version: '1.51', path: '/info' });
  assert.deepEqual(splitVersion('/v1.44'), { version: '1.44', path: '/' });
  assert.equal(splitVersion('/v1.44/v1.24/info').path, '/v1.24/info');
  assert.equal(splitVersion('/volumes/v1.2').path, '/volumes/v1.2');
});

test('versions from 1.24 to 1.51 are served, compared as numbers', () => {
  assertServed('1.24');
  assertServed('1.51');
  assert.throws(() => assertServed('1.100'), /too new/);
  assert.throws(() => assertServed('2.0'), /too new/);
  assert.throws(() => assertServed('1.9'), /too old/);
});

test('detach keys are characters and control characters', () => {
  assert.deepEqual([...parseDetachKeys(undefined)], [16, 17]);
  assert.deepEqual([...parseDetachKeys('ctrl-@,a,ctrl-[,ctrl-_,ctrl-\\')], [0, 97, 27, 31, 28]);
  for (const text of ['ctrl-', 'ctrl-A', 'ab', 'a,,b', 'ctrl-1', 'é']) {
    assert.throws(() => parseDetachKeys(text), {
      message: `Invalid detach keys (${text}) provided`,
    });
  }
});

test('credentials are read from every spelling of base64', () => {
  const json = JSON.stringify({ username: 'me', password: 'ü?>', serveraddress: 'r' });
  const encodings = ['base64', 'base64url'] as const;
  for (const header of encodings.map((encoding) => Buffer.from(json).toString(encoding))) {
    assert.deepEqual(decodeRegistryAuth(header), {
      username: 'me',
      password: 'ü?>',
      serverAddress: 'r',
      identityToken: '',
      registryToken: '',
    });
  }
  const pair = Buffer.from('you:pass:word').toString('base64');
  const old = decodeRegistryAuth(Buffer.from(JSON.stringify({ auth: pair })).toString('base64'));
  assert.deepEqual([old?.username, old?.password], ['you', 'pass:word']);
});

test('no credentials are none, malformed ones are refused', () => {
  for (const header of [undefined, '', 'e30=', 'e30']) {
    assert.equal(decodeRegistryAuth(header), undefined);
  }
  for (const header of ['!', 'bm90IGpzb24=', 'W10=']) {
    assert.throws(() => decodeRegistryAuth(header), { kind: 'invalid-argument' });
  }
});

test('frames come back whole, however the bytes are cut', () => {
  const bytes = Buffer.concat([
    encodeFrame('stdout', Buffer.from('one')),
    encodeFrame('stderr', Buffer.alloc(0)),
    encodeFrame('stderr', Buffer.from('three')),
  ]);
  for (const size of [1, 3, 7, 100]) {
    const decoder = new FrameDecoder();
    const frames: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const { stream, data } of decoder.push(bytes.subarray(at, at + size))) {
        frames.push(`${stream}:${Buffer.from(data).toString()}`);
      }
    }
    assert.deepEqual(frames, ['stdout:one', 'stderr:', 'stderr:three']);
    assert.equal(decoder.pendingBytes, 0);
  }
});
