import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseChallenges } from './challenge.ts';

const plain = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('a WWW-Authenticate header', () => {
  it('is taken apart into schemes and parameters', () => {
    const header =
      'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push", Basic realm="x"';
    assert.deepEqual(plain(header), [
      [
        'bearer',
        { realm: 'https://auth.example/token', service: 'reg', scope: 'repository:a/b:pull,push' },
      ],
      ['basic', { realm: 'x' }],
    ]);
  });

  it('may have bare words, escapes and odd spacing', () => {
    assert.deepEqual(plain('bearer Realm = "a\\"b" , error=invalid_token'), [
      ['bearer', { realm: 'a"b', error: 'invalid_token' }],
    ]);
    assert.deepEqual(plain('Negotiate'), [['negotiate', {}]]);
    assert.deepEqual(plain(''), []);
  });
});
