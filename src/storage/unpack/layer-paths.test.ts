import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkLinkTarget, cleanName } from './layer-paths.ts';

describe('names of layer entries', () => {
  it('lose what does not count', () => {
    const cases = {
      'a/b': 'a/b',
      './a': 'a',
      './': '',
      '/': '',
      '/etc/passwd': 'etc/passwd',
      'a//b/': 'a/b',
      'a/../b': 'b',
      '...': '...',
      'a/..b': 'a/..b',
    };
    for (const [raw, clean] of Object.entries(cases)) assert.equal(cleanName(raw), clean);
  });

  it('must not climb above the root or contain NUL', () => {
    for (const raw of ['..', '../a', '/..', 'a/../../b', './../a']) {
      assert.throws(() => cleanName(raw), /is outside of "\/"/, raw);
    }
    assert.throws(() => cleanName('a\0b'), /NUL/);
  });
});

describe('targets of links', () => {
  it('may be anything that stays inside', () => {
    checkLinkTarget('usr/lib/x', '../bin/y');
    checkLinkTarget('usr/lib/x', '../../bin');
    checkLinkTarget('x', '/etc/../..');
    checkLinkTarget('a/x', '../b/../c');
  });

  it('must not climb out', () => {
    assert.throws(() => checkLinkTarget('x', '../y'), /invalid symlink "\/x" -> "\.\.\/y"/);
    assert.throws(() => checkLinkTarget('a/x', '../../y'), /invalid symlink/);
    assert.throws(() => checkLinkTarget('a/x', '../b/../../y'), /invalid symlink/);
  });
});
