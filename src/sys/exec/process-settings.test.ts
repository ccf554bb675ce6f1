import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { environmentOf, redactArguments } from './process-settings.ts';

describe('the environment of a command', () => {
  it('is built, not inherited', () => {
    const names = Object.keys(environmentOf({ file: 'x', args: [] }));
    assert.deepEqual(names.toSorted(), ['HOME', 'LC_ALL', 'PATH']);
  });

  it('takes what the command names over the base', () => {
    const env = environmentOf({ file: 'x', args: [], env: { PATH: '/here', EXTRA: '1' } });
    assert.equal(env['PATH'], '/here');
    assert.equal(env['EXTRA'], '1');
  });
});

describe('redacting arguments', () => {
  it('masks the value of an option that speaks of secrets, in both forms', () => {
    assert.deepEqual(redactArguments(['login', '--token', 'abc', '--password=xyz', '--name=web']), [
      'login',
      '--token',
      '***',
      '--password=***',
      '--name=web',
    ]);
  });

  it('leaves plain words alone', () => {
    assert.deepEqual(redactArguments(['token', 'abc']), ['token', 'abc']);
  });
});
