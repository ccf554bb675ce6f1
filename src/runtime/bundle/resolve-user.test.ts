import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGroup, parsePasswd } from './account-files.ts';
import { resolveUser } from './resolve-user.ts';

const accounts = {
  users: parsePasswd('root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nbroken\n'),
  groups: parseGroup('root:x:0:\napp:x:1001:\nwheel:x:10:root,app\naudio:x:20:app\n'),
};
const idsOf = (expression: string, ...extra: readonly string[]) => {
  const { uid, gid, additionalGids } = resolveUser(accounts, expression, extra).user;
  return [uid, gid, additionalGids];
};

test('no user is root with the groups of root', () => {
  assert.deepEqual(idsOf(''), [0, 0, [0, 10]]);
});

test('a name brings its group and memberships', () => {
  assert.deepEqual(idsOf('app'), [1000, 1001, [1001, 10, 20]]);
});

test('a number that the image knows is that user', () => {
  assert.deepEqual(idsOf('1000'), [1000, 1001, [1001, 10, 20]]);
});

test('a number that nobody knows is taken as it is, with group 0', () => {
  assert.deepEqual(idsOf('4242'), [4242, 0, [0]]);
  assert.deepEqual(idsOf('4242:77'), [4242, 77, [77]]);
});

test('a group in the expression stands for all memberships', () => {
  assert.deepEqual(idsOf('app:audio'), [1000, 20, [20]]);
});

test('extra groups may be names or numbers', () => {
  assert.deepEqual(idsOf('4242', 'audio', '99'), [4242, 0, [0, 20, 99]]);
});

test('unknown names are refused with the text of Docker', () => {
  assert.throws(
    () => idsOf('nobody'),
    /unable to find user nobody: no matching entries in passwd file/,
  );
  assert.throws(
    () => idsOf('app:nope'),
    /unable to find group nope: no matching entries in group file/,
  );
  assert.throws(() => idsOf('4294967296'), /uids and gids must be in range 0-2147483647/);
});

test('the home directory is that of the accounts file, or the root', () => {
  assert.equal(resolveUser(accounts, 'app', []).home, '/home/app');
  assert.equal(resolveUser(accounts, '4242', []).home, '/');
});
