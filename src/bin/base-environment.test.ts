import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseEnvironment, engineEnvironment, engineHelperEnvironment } from './base-environment.ts';

const user = {
  PATH: '/opt/bin',
  HOME: '/h',
  XDG_RUNTIME_DIR: '/run/user/1',
  HTTPS_PROXY: 'p',
  SECRET: 's',
};

test('helpers get a few variables and find the tools of the administrator', () => {
  const { PATH, ...rest } = baseEnvironment(user);
  assert.match(PATH ?? '', /^\/opt\/bin:.*\/usr\/sbin/);
  assert.deepEqual(rest, { HOME: '/h', XDG_RUNTIME_DIR: '/run/user/1' });
});

test('the engine gets what it trusts, its mark, and a runtime directory of its own', () => {
  assert.deepEqual(engineEnvironment(user, '/run/user/1/wherry'), {
    WHERRY_MACHINE: '/run/user/1/wherry',
    XDG_RUNTIME_DIR: '/run/user/1/wherry',
  });
});

test('the helpers of the engine carry the mark and nothing of registries', () => {
  const engine = { ...baseEnvironment(user), ...engineEnvironment(user, '/x') };
  const helper = engineHelperEnvironment(engine);
  assert.equal(helper['WHERRY_MACHINE'], '/x');
  assert.equal(helper['HTTPS_PROXY'], undefined);
});
