import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canonicalReference,
  familiarName,
  familiarReference,
  parseReference,
  withDefaultTag,
} from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function parsed(text: string) {
  const result = parseReference(text);
  assert.ok(result.ok, `${text} was refused`);
  return result.reference;
}

function problem(text: string): string {
  const result = parseReference(text);
  assert.ok(!result.ok, `${text} was accepted`);
  return result.problem;
}

describe('a reference', () => {
  it('gets docker.io, library and latest when it does not say', () => {
    const cases = {
      busybox: 'docker.io/library/busybox:latest',
      'busybox:1.36': 'docker.io/library/busybox:1.36',
      'user/app': 'docker.io/user/app:latest',
      'index.docker.io/busybox': 'docker.io/library/busybox:latest',
      'localhost/app': 'localhost/app:latest',
      'localhost:5000/app:2': 'localhost:5000/app:2',
      'ghcr.io/a/b/c': 'ghcr.io/a/b/c:latest',
      '[::1]:5000/app': '[::1]:5000/app:latest',
      [`busybox@${DIGEST}`]: `docker.io/library/busybox@${DIGEST}`,
      [`busybox:1@${DIGEST}`]: `docker.io/library/busybox:1@${DIGEST}`,
    };
    for (const [text, full] of Object.entries(cases)) {
      assert.equal(canonicalReference(withDefaultTag(parsed(text))), full);
    }
  });

  it('is shown without what goes without saying', () => {
    const cases = {
      'docker.io/library/busybox:1': 'busybox:1',
      'docker.io/user/app:1': 'user/app:1',
      'docker.io/library/a/b': 'library/a/b',
      'localhost:5000/app:1': 'localhost:5000/app:1',
    };
    for (const [text, shown] of Object.entries(cases)) {
      assert.equal(familiarReference(parsed(text)), shown);
    }
    assert.equal(familiarName(parsed('busybox:1')), 'busybox');
  });

  it('in capitals is refused with the reason', () => {
    const text = 'invalid reference format: repository name (library/BusyBox) must be lowercase';
    assert.equal(problem('BusyBox'), text);
  });

  it('that would read as an id is refused', () => {
    const id = 'f'.repeat(64);
    assert.equal(
      problem(id),
      `invalid repository name (${id}), cannot specify 64-byte hexadecimal strings`,
    );
  });

  it('that is malformed is refused', () => {
    const malformed = ['', ':tag', 'a:', 'a//b', '-a', 'a:b:c', 'a@sha256:12', 'a b', '../a', 'a/'];
    for (const text of malformed) assert.equal(problem(text), 'invalid reference format', text);
    assert.equal(problem(`a@sha512:${'a'.repeat(128)}`), 'unsupported digest algorithm sha512');
    assert.match(problem(`${'a/'.repeat(200)}b`), /must not be more than 255 characters/);
  });
});
