import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenUserNamespace, parseUserNamespaceMode } from './user-namespace-mode.ts';

test('a mode may name the ids, in two spellings, or leave them to the user of the container', () => {
  const ids = { uid: 1000, gid: 50 };
  assert.deepEqual(parseUserNamespaceMode('keep-id:1000,50'), { kind: 'keep-id', ids });
  assert.deepEqual(parseUserNamespaceMode('keep-id:uid=1000,gid=50'), { kind: 'keep-id', ids });
  assert.deepEqual(parseUserNamespaceMode('keep-id:7'), {
    ...{ kind: 'keep-id', ids: { uid: 7, gid: 7 } },
  });
  assert.deepEqual(parseUserNamespaceMode('keep-id'), { kind: 'keep-id', ids: undefined });
  assert.deepEqual(parseUserNamespaceMode('host'), { kind: 'engine' });
  for (const bad of ['keep-id:', 'keep-id:a,b', 'nomap', 'keep-id:4294967295', 'private']) {
    assert.equal(parseUserNamespaceMode(bad), undefined, bad);
  }
});

test('what is asked for wins over the label, and the label over the daemon', () => {
  const mode = (UsernsMode: string, label?: string) =>
    chosenUserNamespace(
      {
        hostConfig: { UsernsMode },
        config: label === undefined ? {} : { Labels: { 'wherry.userns': label } },
      },
      'keep-id',
    ).kind;
  assert.equal(mode('', undefined), 'keep-id');
  assert.equal(mode('', 'host'), 'engine');
  assert.equal(mode('host', 'keep-id:5'), 'engine');
  assert.throws(() => mode('', 'nobody'), /invalid userns mode: nobody/);
});
