import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf, messageOf } from '../../shared/errors.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';

const SETTINGS: ProxySettings = {
  httpProxy: 'plain.example:3128',
  httpsProxy: 'http://user:pass@secure.example:3129',
  noProxy: '',
};

const chosen = (url: string, noProxy = '') =>
  proxyFor(new URL(url), { ...SETTINGS, noProxy })?.host;

test('each protocol has its proxy, with a scheme or without', () => {
  assert.equal(chosen('http://registry.example/v2/'), 'plain.example:3128');
  assert.equal(chosen('https://registry.example/v2/'), 'secure.example:3129');
});

test('loopback is never asked of a proxy', () => {
  for (const host of ['localhost:5000', '127.0.0.1:5000', '127.9.9.9', '[::1]:5000']) {
    assert.equal(chosen(`http://${host}/`), undefined, host);
  }
});

test('what no-proxy names is reached directly', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['*', 'https://anything.example/', true],
    ['registry.example', 'https://registry.example/', true],
    ['registry.example', 'https://sub.registry.example/', true],
    ['registry.example', 'https://otherregistry.example/', false],
    ['.registry.example', 'https://registry.example/', false],
    ['.registry.example', 'https://sub.registry.example/', true],
    ['*.registry.example', 'https://sub.registry.example/', true],
    ['registry.example:5000', 'https://registry.example:5000/', true],
    ['registry.example:443', 'https://registry.example/', true],
    ['registry.example:5000', 'https://registry.example/', false],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.0.0.0/99', 'https://10.1.2.3/', false],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['fd00::/8', 'https://[fd00::1]/', true],
    ['fd00::1', 'https://[fd00::1]/', true],
    [' other , registry.EXAMPLE ', 'https://registry.example/', true],
    ['', 'https://registry.example/', false],
  ];
  for (const [noProxy, url, isDirect] of cases) {
    assert.equal(chosen(url, noProxy) === undefined, isDirect, `${url} with "${noProxy}"`);
  }
});

test('a proxy that cannot be used is named without its password', () => {
  const settings = { ...SETTINGS, httpsProxy: 'socks5://me:secret@proxy:1080' };
  try {
    proxyFor(new URL('https://registry.example/'), settings);
    assert.fail('accepted');
  } catch (error) {
    assert.equal(kindOf(error), 'unavailable');
    assert.match(messageOf(error), /socks5 is not supported/);
    assert.doesNotMatch(messageOf(error), /secret/);
  }
});
