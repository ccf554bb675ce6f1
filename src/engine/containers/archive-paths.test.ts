import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { archiveName, containerPath } from './archive-paths.ts';

describe('paths of docker cp', () => {
  it('become absolute and keep what says that a directory is meant', () => {
    const cases = {
      'etc/passwd': '/etc/passwd',
      '/etc//passwd': '/etc/passwd',
      '/a/../b': '/b',
      '../../etc': '/etc',
      '/etc/': '/etc/',
      '/etc/.': '/etc/.',
      '/etc/./': '/etc/.',
      './': '/.',
      '/./': '/.',
      '/': '/',
      '.': '/.',
      '/.': '/.',
      '/a/..': '/',
    };
    for (const [given, expected] of Object.entries(cases)) {
      assert.equal(containerPath(given), expected, given);
    }
  });

  it('name the topmost entry by their last part', () => {
    const cases = { '/etc/passwd': 'passwd', '/etc/': 'etc', '/etc/.': '.', '/': '/', '/.': '.' };
    for (const [path, expected] of Object.entries(cases)) assert.equal(archiveName(path), expected);
  });
});
