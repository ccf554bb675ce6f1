import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeImageConfig } from './merge-image-config.ts';

const image = {
  Entrypoint: ['/entry'],
  Cmd: ['serve'],
  Env: ['PATH=/bin', 'A=image'],
  Labels: { from: 'image', both: 'image' },
  WorkingDir: '/srv',
};

test('a container without a command takes entrypoint and command of the image', () => {
  const merged = mergeImageConfig({}, image);
  assert.deepEqual([merged.Entrypoint, merged.Cmd], [['/entry'], ['serve']]);
});

test('a given command keeps the entrypoint of the image', () => {
  const merged = mergeImageConfig({ Cmd: ['other'] }, image);
  assert.deepEqual([merged.Entrypoint, merged.Cmd], [['/entry'], ['other']]);
});

test('a given entrypoint drops the command of the image', () => {
  const merged = mergeImageConfig({ Entrypoint: ['/mine'] }, image);
  assert.deepEqual([merged.Entrypoint, merged.Cmd], [['/mine'], null]);
});

test('an empty entrypoint clears the one of the image', () => {
  const merged = mergeImageConfig({ Entrypoint: [''], Cmd: ['sh'] }, image);
  assert.deepEqual([merged.Entrypoint, merged.Cmd], [null, ['sh']]);
});

test('environment and labels merge by name and the user wins', () => {
  const merged = mergeImageConfig({ Env: ['A=user', 'B'], Labels: { both: 'user' } }, image);
  assert.deepEqual(merged.Env, ['A=user', 'B', 'PATH=/bin']);
  assert.deepEqual(merged.Labels, { from: 'image', both: 'user' });
  assert.equal(merged.WorkingDir, '/srv');
});

test('a working directory has no slash at its end', () => {
  const dir = (WorkingDir: string) => mergeImageConfig({ WorkingDir }, {}).WorkingDir;
  assert.deepEqual(['/tmp/', '/', '/a/./b//', ''].map(dir), ['/tmp', '/', '/a/b', '']);
});
