import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4, parseIpv4, parsePrefix } from '../../sys/netlink/ipv4.ts';
import { AddressPool } from './address-pool.ts';

const address = (text: string) => parseIpv4(text) ?? assert.fail(text);

function poolOf(subnet: string, gateway: string): AddressPool {
  return new AddressPool(parsePrefix(subnet) ?? assert.fail(subnet), [address(gateway)]);
}

test('the first address after the gateway is given out first and again once it is free', () => {
  const pool = poolOf('172.17.0.0/16', '172.17.0.1');
  const first = pool.allocate() ?? 0;
  assert.equal(formatIpv4(first), '172.17.0.2');
  assert.equal(formatIpv4(pool.allocate() ?? 0), '172.17.0.3');
  pool.release(first);
  assert.equal(formatIpv4(pool.allocate() ?? 0), '172.17.0.2');
});

test('network, broadcast and gateway are never given out, and a full network says so', () => {
  const pool = poolOf('10.9.0.0/29', '10.9.0.3');
  const given = Array.from({ length: 5 }, () => formatIpv4(pool.allocate() ?? 0));
  assert.deepEqual(given, ['10.9.0.1', '10.9.0.2', '10.9.0.4', '10.9.0.5', '10.9.0.6']);
  assert.equal(pool.allocate(), undefined);
});

test('an address is reserved once, and only within the network', () => {
  const pool = poolOf('10.9.0.0/29', '10.9.0.1');
  assert.equal(pool.reserve(address('10.9.0.2')), true);
  assert.equal(pool.reserve(address('10.9.0.2')), false);
  assert.equal(pool.reserve(address('10.9.0.7')), false);
  assert.equal(pool.reserve(address('10.9.1.2')), false);
  assert.equal(formatIpv4(pool.allocate() ?? 0), '10.9.0.3');
});
