import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignoreLines, PathPatterns } from './path-patterns.ts';

/** Those of the paths that the patterns leave out. */
function out(patterns: readonly string[], paths: readonly string[]): readonly string[] {
  const list = new PathPatterns(patterns);
  return paths.filter((path) => list.leavesOut(path));
}

test('patterns leave out what they fit, with everything below', () => {
  const paths = ['a', 'a/b', 'ab', 'x/a', 'x/y/a.log', 'a.log'];
  assert.deepEqual(out(['a'], paths), ['a', 'a/b']);
  assert.deepEqual(out(['/a/'], paths), ['a', 'a/b']);
  assert.deepEqual(out(['a*'], paths), ['a', 'a/b', 'ab', 'a.log']);
  assert.deepEqual(out(['*/a'], paths), ['x/a']);
  assert.deepEqual(out(['**/a'], paths), ['a', 'a/b', 'x/a']);
  assert.deepEqual(out(['**/*.log'], paths), ['x/y/a.log', 'a.log']);
  assert.deepEqual(out(['x/**'], paths), ['x/a', 'x/y/a.log']);
  assert.deepEqual(out(['a?'], paths), ['ab']);
  assert.deepEqual(out(['a[a-c]'], paths), ['ab']);
  assert.deepEqual(out(['./x/../a'], paths), ['a', 'a/b']);
  assert.deepEqual(out(['**'], paths), paths);
});

test('later patterns take back what earlier ones left out', () => {
  const paths = ['README.md', 'docs/a.md', 'docs/keep.md'];
  assert.deepEqual(out(['**/*.md', '!docs/keep.md'], paths), ['README.md', 'docs/a.md']);
  assert.deepEqual(out(['docs', '!docs/keep.md'], paths), ['docs/a.md']);
  assert.deepEqual(out(['!docs/keep.md', 'docs'], paths), ['docs/a.md', 'docs/keep.md']);
});

test('comments and empty lines are no patterns', () => {
  assert.deepEqual(ignoreLines('\uFEFF# no\n\n a \r\n!b\n #c'), ['a', '!b', '#c']);
});

test('a lone exclamation mark is refused', () => {
  assert.throws(() => new PathPatterns(['!']), /illegal exclusion pattern/);
});
