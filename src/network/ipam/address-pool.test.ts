import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePrefix } from '../../sys/netlink/ipv4.ts';
import { parseIpv6Prefix } from '../../sys/netlink/ipv6.ts';
import { type AddressPool, ipv4Pool, ipv6Pool } from './address-pool.ts';

function poolOf(subnet: string, gateway: string, ipRange = subnet): AddressPool {
  const prefix = parsePrefix(subnet) ?? assert.fail(subnet);
  return ipv4Pool({ prefix, range: parsePrefix(ipRange), reserved: [gateway] });
}

test('the first address after the gateway is given out first and again once it is free', () => {
  const pool = poolOf('172.17.0.0/16', '172.17.0.1');
  assert.equal(pool.allocate(), '172.17.0.2');
  assert.equal(pool.allocate(), '172.17.0.3');
  pool.release('172.17.0.2');
  assert.equal(pool.allocate(), '172.17.0.2');
  assert.equal(pool.allocate(), '172.17.0.4');
});

test('network, broadcast and gateway are never given out, and a full network says so', () => {
  const pool = poolOf('10.9.0.0/29', '10.9.0.3');
  const given = Array.from({ length: 5 }, () => pool.allocate());
  assert.deepEqual(given, ['10.9.0.1', '10.9.0.2', '10.9.0.4', '10.9.0.5', '10.9.0.6']);
  assert.equal(pool.allocate(), undefined);
});

test('an address is reserved once, and only within the network', () => {
  const pool = poolOf('10.9.0.0/29', '10.9.0.1');
  assert.equal(pool.reserve('10.9.0.2'), true);
  assert.equal(pool.reserve('10.9.0.2'), false);
  assert.equal(pool.reserve('10.9.0.7'), false);
  assert.equal(pool.reserve('10.9.1.2'), false);
  assert.equal(pool.allocate(), '10.9.0.3');
});

test('a range limits the choice, not what can be asked for; releasing beyond it changes nothing', () => {
  const pool = poolOf('10.9.0.0/16', '10.9.0.1', '10.9.4.0/30');
  assert.equal(pool.allocate(), '10.9.4.0');
  assert.equal(pool.reserve('10.9.0.7'), true);
  pool.release('10.9.0.7');
  assert.deepEqual(
    [1, 2, 3, 4].map(() => pool.allocate()),
    ['10.9.4.1', '10.9.4.2', '10.9.4.3', undefined],
  );
});

test('an IPv6 network has addresses in any notation', () => {
  const prefix = parseIpv6Prefix('fd00:1::/64') ?? assert.fail();
  const pool = ipv6Pool({ prefix, reserved: ['fd00:1:0::1'] });
  assert.equal(pool.allocate(), 'fd00:1::2');
  assert.equal(pool.reserve('fd00:1:0:0:0:0:0:3'), true);
  assert.equal(pool.canonical('fd00:1:0:0:0:0:0:3'), 'fd00:1::3');
  assert.equal(pool.allocate(), 'fd00:1::4');
  assert.equal(pool.reserve('fd00:2::1'), false);
});
