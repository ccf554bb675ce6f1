import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mirrorIn } from './docker-clients.ts';

test('the mirror is found in both forms of source lists', () => {
  const stanza = 'Types: deb\n# as of then\nURIs: http://mirror.test/debian/\nSuites: bookworm\n';
  assert.equal(mirrorIn(stanza), 'http://mirror.test/debian');
  const line = 'deb [signed-by=/key arch=amd64] https://mirror.test/pub/debian bookworm main';
  assert.equal(mirrorIn(line), 'https://mirror.test/pub/debian');
});

test('archives of security updates, of others, and comments are no mirror of Debian', () => {
  const lists = [
    'deb http://security.test/debian-security bookworm-security main',
    'URIs: https://packages.test/node_20.x',
    '# deb http://old.test/debian bookworm main',
  ];
  assert.equal(mirrorIn(lists.join('\n')), undefined);
});
