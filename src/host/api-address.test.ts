import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOpenToNetwork, parseApiAddress } from './api-address.ts';

test('a unix address keeps its path and its spelling', () => {
  assert.deepEqual(parseApiAddress('unix:///run/x.sock'), {
    scheme: 'unix',
    path: '/run/x.sock',
    text: 'unix:///run/x.sock',
  });
});

test('a tcp address without port gets the port of an API without TLS', () => {
  const address = parseApiAddress('tcp://127.0.0.1');
  assert.equal(address.scheme === 'tcp' && address.port, 2375);
});

test('an IPv6 address is written in brackets', () => {
  const address = parseApiAddress('tcp://[::1]:99');
  assert.equal(address.scheme === 'tcp' && `${address.hostIp} ${address.port}`, '::1 99');
});

test('fd:// takes all inherited sockets, fd://NAME one of them', () => {
  assert.equal((parseApiAddress('fd://') as { name: string }).name, '');
  assert.equal((parseApiAddress('fd://docker.socket') as { name: string }).name, 'docker.socket');
});

for (const text of [
  '/run/x.sock',
  'unix://relative',
  'tcp://host.example:1',
  'tcp://1.2.3.4:70000',
  'npipe:////./pipe/x',
  'ssh://x',
]) {
  test(`${text} is refused with the address in the message`, () => {
    assert.throws(
      () => parseApiAddress(text),
      (error) => error instanceof Error && error.message.includes(text),
    );
  });
}

test('only addresses beyond loopback count as open to the network', () => {
  assert.equal(isOpenToNetwork(parseApiAddress('tcp://127.0.0.1:1')), false);
  assert.equal(isOpenToNetwork(parseApiAddress('tcp://0.0.0.0:1')), true);
  assert.equal(isOpenToNetwork(parseApiAddress('unix:///x')), false);
});
