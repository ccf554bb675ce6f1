import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { chooseTargets, type ProxyView } from './choose-targets.ts';

const at = (text: string, port = 80) => ({ address: parseIpv4(text) ?? 0, port });
const view: ProxyView = {
  hasUplink: false,
  hostAddress: '192.0.2.9',
  resolvers: ['127.0.0.53'],
  networks: [
    { subnet: '172.17.0.0/16' },
    { subnet: '172.18.0.0/16' },
    { subnet: '172.19.0.0/16', internal: true },
  ],
  isGranted: (address) => address === '172.17.0.2',
};
const hosts = (client: string, wanted: string, change: Partial<ProxyView> = {}) => {
  const [host = '', port = '80'] = wanted.split(':');
  const targets = chooseTargets(at(client), at(host, Number(port)), { ...view, ...change });
  return targets.map((target) => target.host);
};

test('the host is reached by containers that may: at its loopback, else at its address', () => {
  assert.deepEqual(hosts('172.17.0.2', '10.0.2.4'), ['127.0.0.1', '::1', '192.0.2.9']);
  assert.deepEqual(hosts('172.17.0.3', '10.0.2.4'), []);
});

test('the world outside is dialled by the host only where no uplink leads there', () => {
  assert.deepEqual(hosts('172.17.0.3', '198.51.100.1'), ['198.51.100.1']);
  assert.deepEqual(hosts('172.17.0.3', '198.51.100.1', { hasUplink: true }), []);
});

test('neither the loopback of the host nor another network of ours is the world outside', () => {
  assert.deepEqual(hosts('172.17.0.3', '127.0.0.1'), []);
  assert.deepEqual(hosts('172.17.0.3', '172.18.0.2'), []);
});

test('members of an internal network get nowhere', () => {
  assert.deepEqual(hosts('172.19.0.2', '198.51.100.1'), []);
});

test('names are asked of the servers of the host, and nothing else is at that address', () => {
  assert.deepEqual(hosts('172.17.0.3', '10.0.2.3:53'), ['127.0.0.53']);
  assert.deepEqual(hosts('172.17.0.3', '10.0.2.3:80'), []);
});
